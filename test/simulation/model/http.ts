import type { ModelApiServer, Place } from './api-server.ts'
import { Refused } from './errors.ts'
import type { ModelKind } from './kind.ts'
import { allKinds } from './kinds.ts'
import { metadataOf } from './metadata.ts'
import { selected } from './selectors.ts'
import type { Tree } from './tree.ts'

export interface ModelRequest {
  readonly method: string
  readonly url: URL
  readonly accept: string
  readonly contentType: string
  readonly userAgent: string
  readonly body: string | undefined
}

/** The end of a path: a kind, and perhaps one object of it. */
interface Target extends Place { readonly subresource: string }

const byPath = new Map(allKinds.map(kind => [`${kind.group}/${kind.version}/${kind.resource}`, kind]))

/** The targets of paths that were requested before. Events have new names all the time, so at times all are forgotten. */
const targets = new Map<string, Target | undefined>()
const mostTargets = 1_000

/** Undefined: nothing is served there yet. */
function targetOf (api: ModelApiServer, pathname: string): Target | undefined {
  if (targets.size > mostTargets) targets.clear()
  if (!targets.has(pathname)) targets.set(pathname, parseTarget(pathname))
  const target = targets.get(pathname)
  return target && api.isServed(target.kind) ? target : undefined
}

function parseTarget (pathname: string): Target | undefined {
  const [root, ...rest] = pathname.split('/').slice(1).map(decodeURIComponent)
  const [group = '', version = '', ...below] = root === 'api' ? ['', ...rest] : rest
  const [namespace, tail] = below[0] === 'namespaces' && below.length > 2 ? [below[1] ?? '', below.slice(2)] : ['', below]
  const [resource = '', name = '', subresource = ''] = tail
  const kind = byPath.get(`${group}/${version}/${resource}`)
  return kind && { kind, namespace, name, subresource }
}

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches */
export const isMetadataOnly = (accept: string) => accept.includes('as=PartialObjectMetadata')

const partial = (object: Tree): Tree => ({ kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata })

const texts = new WeakMap<Tree, string>()
const partialTexts = new WeakMap<Tree, string>()

/** An object as JSON, which is encoded once for all watches. Stored objects never change. */
export function textOf (object: Tree, metadataOnly: boolean): string {
  const known = metadataOnly ? partialTexts : texts
  const text = known.get(object) ?? JSON.stringify(metadataOnly ? partial(object) : object)
  known.set(object, text)
  return text
}

export interface ModelReply { readonly status: number, readonly body: string, readonly headers: Readonly<Record<string, string>> }

export interface ModelWatch {
  readonly kind: ModelKind
  readonly matches: (object: Tree) => boolean
  readonly metadataOnly: boolean
  /** Zero: from now. */
  readonly from: number
}

/** A request of a watch, if it is one. @throws {Refused} 404, 410 */
export function watchOf (api: ModelApiServer, { url, accept }: ModelRequest): ModelWatch | undefined {
  if (url.searchParams.get('watch') !== 'true') return undefined
  const target = targetOf(api, url.pathname)
  if (!target) throw unserved()
  const from = Number(url.searchParams.get('resourceVersion') ?? 0)
  if (from !== 0 && from < api.store.compacted) throw expired()
  return { kind: target.kind, matches: matching(url, target.namespace), metadataOnly: isMetadataOnly(accept), from }
}

const unserved = () => new Refused(404, 'NotFound', '404 page not found')
export const expired = () => new Refused(410, 'Expired', 'too old resource version')
const matching = ({ searchParams }: URL, namespace: string) => selected(searchParams.get('labelSelector'), searchParams.get('fieldSelector'), namespace)

/** Answers one request that is no watch. Never throws. */
export function handle (api: ModelApiServer, request: ModelRequest): ModelReply {
  try {
    const { status, body } = answer(api, request)
    return { status, body, headers: { 'content-type': 'application/json' } }
  } catch (error) {
    if (error instanceof Refused) return refusal(error)
    throw error
  }
}

export const refusal = ({ status, body }: Refused): ModelReply =>
  ({ status, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })

function answer (api: ModelApiServer, request: ModelRequest): { readonly status: number, readonly body: string } {
  const { method, url, accept } = request
  const target = targetOf(api, url.pathname)
  if (!target) return { status: 200, body: discovery(api, url.pathname) }
  if (method === 'GET') return { status: 200, body: target.name === '' ? list(api, target, request) : textOf(api.get(target), isMetadataOnly(accept)) }
  const { status, body } = write(api, target, request)
  return { status, body: textOf(body, isMetadataOnly(accept)) }
}

function write (api: ModelApiServer, target: Target, { method, url, contentType, userAgent, body }: ModelRequest) {
  const sent: unknown = body === undefined ? undefined : JSON.parse(body)
  const options = {
    manager: url.searchParams.get('fieldManager') ?? (userAgent.split('/')[0] || 'unknown'),
    subresource: target.subresource,
    dryRun: url.searchParams.get('dryRun') === 'All',
  }
  switch (method) {
    case 'POST': return api.create(target, sent, options)
    case 'PUT': return api.update(target, sent, options)
    case 'DELETE': return api.remove(target, sent)
    default: return contentType.includes('apply-patch')
      ? api.apply(target, sent, { ...options, force: url.searchParams.get('force') === 'true' })
      : api.patch(target, sent, options)
  }
}

/** The discovery document of a group and version. @throws {Refused} 404 if it does not exist */
function discovery (api: ModelApiServer, pathname: string): string {
  const [root, ...rest] = pathname.split('/').slice(1)
  const [group = '', version = ''] = root === 'api' ? ['', ...rest] : rest
  const found = allKinds.filter(kind => kind.group === group && kind.version === version && api.isServed(kind))
  if (found.length === 0 || rest.length > 2) throw unserved()
  return JSON.stringify({ kind: 'APIResourceList', apiVersion: 'v1', groupVersion: `${group}/${version}`, resources: found.map(({ resource, kind }) => ({ name: resource, kind })) })
}

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks */
function list (api: ModelApiServer, { kind, namespace }: Target, { url, accept }: ModelRequest): string {
  const metadataOnly = isMetadataOnly(accept)
  const limit = Number(url.searchParams.get('limit') ?? 0) || Infinity
  const token = url.searchParams.get('continue') ?? ''
  const { version = api.store.version, after = '' } = token === '' ? {} : JSON.parse(token) as { version?: number, after?: string }
  // Each page of a list has the version of the first page. A client cannot distinguish this from a current page if nothing has changed.
  if (version < api.store.compacted) throw expired()
  const key = (object: Tree) => `${String(metadataOf(object).namespace ?? '')}/${String(metadataOf(object).name)}`
  const matches = matching(url, namespace)
  const all = api.store.list(kind).filter(object => matches(object) && key(object) > after).sort((a, b) => key(a) < key(b) ? -1 : 1)
  const page = all.slice(0, limit)
  const last = page.at(-1)
  const next = all.length > page.length && last ? JSON.stringify({ version, after: key(last) }) : ''
  const metadata = JSON.stringify({ resourceVersion: String(version), ...(next === '' ? {} : { continue: next }) })
  const [listKind, apiVersion] = metadataOnly ? ['PartialObjectMetadataList', 'meta.k8s.io/v1'] : [`${kind.kind}List`, kind.apiVersion]
  return `{"kind":"${listKind}","apiVersion":"${apiVersion}","metadata":${metadata},"items":[${page.map(object => textOf(object, metadataOnly)).join()}]}`
}
