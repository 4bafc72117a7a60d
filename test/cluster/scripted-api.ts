import { createServer } from 'node:http'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ApiClient } from '../../src/cluster/api-client.ts'
import { ApiServerOutage } from '../../src/cluster/api-server-outage.ts'
import type { ApiConnection, RequestOutcome } from '../../src/cluster/api-client.ts'
import type { ClusterLog } from '../../src/cluster/cluster-log.ts'

export interface Received {
  readonly method: string
  readonly url: URL
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export type Script = (request: Received, response: ServerResponse) => void

interface Owner { teardown (work: () => unknown): void }

/** An HTTP server on loopback that answers as the test says, for the faults that a real API server does not offer. */
export async function scriptedApi (t: Owner, script: Script, connection: Partial<ApiConnection> = {}) {
  const requests: Received[] = []
  const outcomes: RequestOutcome[] = []
  const server = createServer((message, response) => {
    const chunks: Buffer[] = []
    message.on('data', (chunk: Buffer) => { chunks.push(chunk) })
    message.on('end', () => {
      const { method = '', url = '', headers } = message
      const received = { method, url: new URL(url, 'http://api'), headers, body: Buffer.concat(chunks).toString() }
      requests.push(received)
      script(received, response)
    })
  })
  const listen = async (port: number) => {
    await new Promise<void>(resolve => { server.listen(port, '127.0.0.1', resolve) })
    return (server.address() as AddressInfo).port
  }
  const close = async () => {
    server.closeAllConnections()
    await new Promise(resolve => { server.close(resolve) })
  }
  const port = await listen(0)
  const client = new ApiClient({
    connection: { server: new URL(`http://127.0.0.1:${port}`), requestOptions: async () => ({}), refresh: () => false, ...connection },
    userAgent: 'dittofs-operator/test',
    observe: outcome => { outcomes.push(outcome) },
  })
  t.teardown(async () => {
    client.close()
    await close()
  })
  return { client, requests, outcomes, port, down: close, up: async () => await listen(port) }
}

export function answer (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers })
  response.end(typeof body === 'string' ? body : JSON.stringify(body))
}

export const status = (code: number, reason: string, message = reason) =>
  ({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message })

export interface Line { readonly level: string, readonly message: string, readonly fields: Record<string, unknown> }

export function capturedLog () {
  const lines: Line[] = []
  const at = (level: string) => (fields: unknown, message?: string) => {
    lines.push({ level, message: message ?? '', fields: fields as Record<string, unknown> })
  }
  const log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } as unknown as ClusterLog
  const messages = (...levels: string[]) => lines.filter(line => levels.includes(line.level)).map(line => line.message)
  return { log, lines, messages, outage: new ApiServerOutage(log) }
}

/** Polls, because the expected change happens on the other side of a socket. */
export async function until (condition: () => unknown, what: string, timeoutMs = 5000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`)
    await new Promise(resolve => { setTimeout(resolve, 5) })
  }
}

/** A collection of ConfigMap-like objects, whose watches the test writes to by hand. */
export function scriptedCollection () {
  const watches: ServerResponse[] = []
  const lists: URL[] = []
  const opened: URL[] = []
  const state = {
    items: [] as unknown[],
    resourceVersion: '1',
    /** Takes over the next request, once. */
    onList: undefined as Script | undefined,
    onWatch: undefined as Script | undefined,
  }
  const script: Script = (request, response) => {
    if (request.url.searchParams.get('watch') === 'true') {
      opened.push(request.url)
      const { onWatch } = state
      state.onWatch = undefined
      if (onWatch !== undefined) {
        onWatch(request, response)
        return
      }
      response.writeHead(200, { 'Content-Type': 'application/json' })
      response.flushHeaders()
      watches.push(response)
      return
    }
    lists.push(request.url)
    const { onList } = state
    state.onList = undefined
    if (onList !== undefined) onList(request, response)
    else answer(response, 200, list(state.items, state.resourceVersion))
  }
  const send = (type: string, object: unknown) => { watches.at(-1)?.write(`${JSON.stringify({ type, object })}\n`) }
  return { script, state, watches, lists, opened, send }
}

export const list = (items: unknown, resourceVersion: string, next?: string) =>
  ({ kind: 'ConfigMapList', apiVersion: 'v1', metadata: { resourceVersion, ...(next === undefined ? {} : { continue: next }) }, items })

export const item = (name: string, resourceVersion: string, rest: object = {}) =>
  ({ metadata: { namespace: 'ns', name, resourceVersion }, ...rest })
