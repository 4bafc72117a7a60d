import { readFile, writeFile } from 'node:fs/promises'
import { Agent, createServer, request as httpsRequest } from 'node:https'
import { once } from 'node:events'
import { join } from 'node:path'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { Reachable } from './installation.ts'

/** A request on its way to the API server. */
export interface Passing {
  readonly method: string
  readonly path: string
  readonly isWatch: boolean
  readonly isWrite: boolean
  readonly isLease: boolean
}

/** The fate of a request. */
export type Fate =
  | { readonly kind: 'passes', readonly after?: number }
  /** The API server never sees it; this is the reply. `retryAfter`: seconds. */
  | { readonly kind: 'answered', readonly status: number, readonly reason: string, readonly retryAfter?: number }
  /** The API server executes the request, and the connection breaks before the reply. */
  | { readonly kind: 'reply lost' }
  | { readonly kind: 'refused' }

export const passes: Fate = { kind: 'passes' }

interface Stream { readonly response: ServerResponse, isSilent: boolean }

/**
 * A proxy between an operator and the API server. It terminates TLS, so that it can read the requests. Requests contain tokens, because
 * client certificates would not pass the proxy.
 */
export async function startFaultProxy (t: Pick<Test, 'teardown'>, { folder, server: target }: Reachable) {
  const at = (name: string) => join(folder, 'certs', name)
  const [ca, cert, key] = await Promise.all(['ca.crt', 'apiserver.crt', 'apiserver.key'].map(async name => await readFile(at(name))))
  const agent = new Agent({ keepAlive: true, ...(ca ? { ca } : {}) })
  const streams = new Set<Stream>()
  let fateOf: (request: Passing) => Fate = () => passes

  const forward = (incoming: IncomingMessage, response: ServerResponse, passing: Passing, isReplyLost: boolean) => {
    const upstream = httpsRequest(new URL(incoming.url ?? '/', target), { method: passing.method, headers: incoming.headers, agent })
    upstream.on('error', () => { response.destroy() })
    upstream.on('response', reply => {
      if (isReplyLost) {
        reply.resume()
        reply.on('end', () => { response.destroy() })
        return
      }
      const stream: Stream = { response, isSilent: false }
      if (passing.isWatch) streams.add(stream)
      response.writeHead(reply.statusCode ?? 502, reply.headers)
      response.flushHeaders()
      reply.on('data', (chunk: Buffer) => { if (!stream.isSilent) response.write(chunk) })
      reply.on('end', () => { if (!stream.isSilent) response.end() })
      reply.on('error', () => { response.destroy() })
      response.on('close', () => {
        streams.delete(stream)
        upstream.destroy()
      })
    })
    incoming.pipe(upstream)
  }

  const proxy = createServer({ ...(cert && key ? { cert, key } : {}) }, (incoming, response) => {
    const { method = 'GET', url: path = '/' } = incoming
    const passing: Passing = {
      method, path, isWatch: /[?&]watch=(1|true)/.test(path), isWrite: method !== 'GET', isLease: path.includes('/leases'),
    }
    const fate = fateOf(passing)
    if (fate.kind === 'refused') response.destroy()
    else if (fate.kind === 'answered') {
      incoming.resume()
      response.writeHead(fate.status, { 'content-type': 'application/json', ...(fate.retryAfter === undefined ? {} : { 'retry-after': String(fate.retryAfter) }) })
      response.end(JSON.stringify({ apiVersion: 'v1', kind: 'Status', status: 'Failure', code: fate.status, reason: fate.reason, message: 'a fault of the tests' }))
    } else {
      const lost = fate.kind === 'reply lost'
      setTimeout(() => { forward(incoming, response, passing, lost) }, fate.kind === 'passes' ? fate.after ?? 0 : 0)
    }
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const server = `https://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  t.teardown(() => {
    agent.destroy()
    proxy.closeAllConnections()
    proxy.close()
  })

  return {
    /** The same kubeconfig, but through the proxy. */
    kubeconfig: async (path: string): Promise<string> => {
      const through = `${path}.${new URL(server).port}`
      await writeFile(through, (await readFile(path, 'utf8')).replaceAll(target, server), { mode: 0o600 })
      return through
    },
    suffer: (fate: (request: Passing) => Fate) => { fateOf = fate },
    recover: () => { fateOf = () => passes },
    /** Connections of watches stay open, and nothing comes any more: as when a router forgets them. How many there are. */
    silenceWatches: () => {
      for (const stream of streams) stream.isSilent = true
      return streams.size
    },
    endWatches: () => {
      for (const stream of streams) {
        stream.isSilent = true
        stream.response.end()
      }
    },
  }
}
