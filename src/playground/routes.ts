import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isNamespaceName, isObjectName } from '../cluster/object-name.ts'
import type { Pane, TryRequest } from './contract.ts'
import { streamEvents } from './event-stream.ts'
import { isLocal } from './local-request.ts'
import type { PlaygroundOptions } from './options.ts'
import { UnreadableCluster } from './surroundings.ts'

type Route = (request: IncomingMessage, reply: ServerResponse, options: PlaygroundOptions, path: string) => Promise<void>

// What needs the engine is loaded by the first request that needs it: the start of the program must not wait for the playground.

const routes: readonly { readonly method: string, readonly path: RegExp, readonly route: Route }[] = [
  { method: 'GET', path: /^\/$/, route: index },
  { method: 'GET', path: /^\/assets\/[\w.-]+$/, route: asset },
  { method: 'GET', path: /^\/schema\.json$/, route: schema },
  { method: 'POST', path: /^\/api\/try$/, route: tryIt },
  { method: 'GET', path: /^\/api\/reviews$/, route: async (_request, reply, options) => { streamEvents(reply, options) } },
  { method: 'GET', path: /^\/api\/servers\/[^/]+\/[^/]+$/, route: oneServer },
]

export async function respondTo (request: IncomingMessage, reply: ServerResponse, options: PlaygroundOptions): Promise<void> {
  for (const [name, value] of Object.entries(everywhere)) reply.setHeader(name, value)
  if (!isLocal(request)) return text(reply, 403, 'only for pages of this server: open it as http://localhost, not by another name')
  const [path = ''] = (request.url ?? '').split('?')
  const found = routes.filter(route => route.path.test(path))
  if (found.length === 0) return text(reply, 404, `there is no ${path.slice(0, 100)}`)
  const chosen = found.find(({ method }) => method === request.method)
  if (!chosen) return text(reply, 405, `only ${found.map(({ method }) => method).join(', ')}`)
  await chosen.route(request, reply, options, path)
}

/** Nobody else may embed the page or read its answers, and no browser may guess their type. */
const everywhere = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store',
} as const

/** The nonce is for the style sheet that the editor creates; nothing else in the page is inline. */
const policy = (nonce: string) => [
  "default-src 'none'", "script-src 'self'", `style-src 'self' 'nonce-${nonce}'`, "font-src 'self'", "img-src 'self'", "connect-src 'self'",
  "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
].join('; ')

function text (reply: ServerResponse, code: number, message: string): void {
  reply.writeHead(code, { 'content-type': 'text/plain; charset=utf-8' }).end(`${message}\n`)
}

function json (reply: ServerResponse, value: unknown): void {
  reply.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(value))
}

async function index (_request: IncomingMessage, reply: ServerResponse): Promise<void> {
  const { pageFile } = await import('./page-files.ts')
  const page = await pageFile('index.html')
  if (!page) return text(reply, 404, 'this program does not contain the page')
  const nonce = randomBytes(16).toString('base64')
  reply.writeHead(200, { 'content-type': page.type, 'content-security-policy': policy(nonce) })
  reply.end(page.content.toString().replaceAll('NONCE', nonce))
}

async function asset (_request: IncomingMessage, reply: ServerResponse, _options: PlaygroundOptions, path: string): Promise<void> {
  const { pageFile } = await import('./page-files.ts')
  const file = await pageFile(path.slice('/assets/'.length))
  if (!file) return text(reply, 404, 'there is no such file; reload the page')
  // The name contains a hash of the content.
  reply.writeHead(200, { 'content-type': file.type, 'cache-control': 'max-age=31536000, immutable' }).end(file.content)
}

async function schema (_request: IncomingMessage, reply: ServerResponse): Promise<void> {
  const { editorSchema } = await import('./editor-schema.ts')
  json(reply, editorSchema())
}

/** Bytes. The API server accepts objects of 3 MB. */
const longestBody = 4 * 1024 * 1024

async function tryIt (request: IncomingMessage, reply: ServerResponse, options: PlaygroundOptions): Promise<void> {
  // A form of another site cannot send this type.
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) return text(reply, 415, 'the body must be application/json')
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    // The rest is read too: an early end would close the connection before the answer arrives.
    if (length <= longestBody) chunks.push(chunk)
  }
  if (length > longestBody) return text(reply, 413, `the body must have at most ${longestBody} bytes`)
  const asked = parsed(Buffer.concat(chunks).toString())
  if (!asked) return text(reply, 400, 'the body must be {"text": YAML, "running": YAML, "pane": NAME}; only the text is required')
  const { tryDocument } = await import('./try-document.ts')
  json(reply, await tryDocument(asked, options))
}

const panes = ['verdict', 'defaulted', 'objects', 'picture', 'effects'] as const satisfies Pane[]
const isPane = (value: unknown): value is Pane => panes.some(pane => pane === value)

function parsed (body: string): TryRequest | undefined {
  try {
    const value = JSON.parse(body) as Partial<Record<keyof TryRequest, unknown>> | null
    const { text: document, running, pane = 'verdict' } = value ?? {}
    if (typeof document !== 'string' || (running !== undefined && typeof running !== 'string') || !isPane(pane)) return undefined
    return { text: document, pane, ...(running === undefined ? {} : { running }) }
  } catch {
    return undefined
  }
}

function unlessUnreadable (error: unknown): UnreadableCluster {
  if (error instanceof UnreadableCluster) return error
  throw error
}

async function oneServer (_request: IncomingMessage, reply: ServerResponse, { read }: PlaygroundOptions, path: string): Promise<void> {
  const [namespace = '', name = ''] = path.split('/').slice(3)
  const isName = isNamespaceName(namespace) && isObjectName(name)
  const object = isName ? await read('DittoServer', namespace, name).catch(unlessUnreadable) : undefined
  if (object instanceof UnreadableCluster) return text(reply, 503, object.message)
  if (!object) return text(reply, 404, 'there is no such DittoServer')
  const { manifestOf } = await import('./manifest-of.ts')
  reply.writeHead(200, { 'content-type': 'application/yaml; charset=utf-8' }).end(manifestOf(object))
}
