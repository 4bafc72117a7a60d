import { crdName, group, plural, version } from '../../src/dittoserver/api.ts'
import { isObject } from '../../src/dittoserver/structural.ts'
import { customResourceDefinition } from '../../src/manifests/crd.ts'
import { eventually } from '../control-plane/control-plane.ts'
import type { ControlPlane } from '../control-plane/control-plane.ts'

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
export const servers = `/apis/${group}/${version}/namespaces/default/${plural}`

/** A CRD that accepts anything: objects stored with it may violate every later schema. */
function looseDefinition () {
  const definition = customResourceDefinition()
  const [served] = definition.spec.versions
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
  return { ...definition, spec: { ...definition.spec, versions: [{ ...served, schema }] } }
}

export interface Reply { readonly allowed: boolean, readonly why: string, readonly object: Stored }
export type Stored = Readonly<Record<string, unknown>> & { readonly metadata: Readonly<Record<string, unknown>> }

/** An API server whose DittoServers are stored first and get their schema then. */
export function earlierCrd ({ request }: Pick<ControlPlane, 'request'>) {
  /** @throws for an answer that is no verdict */
  const send = async (method: string, path: string, object?: object): Promise<Reply> => {
    const { status, body } = await request(method, path, object)
    const { message = '' } = body as { message?: string }
    if (status >= 300 && status !== 422 && status !== 400) throw new Error(`${method} ${path}: ${status} ${message}`)
    return { allowed: status < 300, why: message, object: body as Stored }
  }
  return {
    send,
    installLoose: async () => {
      const { allowed, why } = await send('POST', definitions, looseDefinition())
      if (!allowed) throw new Error(why)
      await eventually(async () => (await request('GET', servers)).status === 200, 'DittoServers are served')
    },
    /** Resolves when the API server judges by it. */
    installReal: async () => {
      const { object } = await send('GET', `${definitions}/${crdName}`)
      const { allowed, why } = await send('PUT', `${definitions}/${crdName}`, { ...customResourceDefinition(), metadata: object.metadata })
      if (!allowed) throw new Error(why)
      const wrong = { apiVersion: `${group}/${version}`, kind: 'DittoServer', metadata: { name: 'probe' }, spec: { storage: {} } }
      await eventually(async () => !(await send('POST', `${servers}?dryRun=All`, wrong)).allowed, 'the schema is in force')
    },
    store: async (name: string, spec: unknown, metadata: object = {}) =>
      await send('POST', servers, { apiVersion: `${group}/${version}`, kind: 'DittoServer', metadata: { name, ...metadata }, spec }),
    read: async (name: string) => (await send('GET', `${servers}/${name}`)).object,
  }
}

/** The spec with another value at the path. Missing sections are created. */
export function withValue (spec: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value
  const holder = isObject(spec) ? spec : {}
  return { ...holder, [key]: withValue(holder[key], rest, value) }
}
