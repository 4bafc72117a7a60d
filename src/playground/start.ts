import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { respondTo } from './routes.ts'
import type { PlaygroundOptions } from './options.ts'

export interface Playground {
  readonly port: number
  readonly stop: () => Promise<void>
}

/** Only this machine can connect; `kubectl port-forward` does so from within a pod. */
const address = '127.0.0.1'

/** A whole review has at most 3 MB, a request of the page much less; both arrive at once. */
const requestTimeout = 10_000

/** Serves the page. Rejects if the port cannot be used. */
export async function startPlayground (options: PlaygroundOptions): Promise<Playground> {
  const server = createServer({ requestTimeout, headersTimeout: requestTimeout }, (request, reply) => {
    respondTo(request, reply, options).catch((error: unknown) => {
      options.log.error({ err: error, path: request.url }, 'the playground could not answer')
      if (reply.headersSent) reply.destroy()
      else reply.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' }).end('a bug in dittofs-operator; its log has the cause\n')
    })
  })
  server.listen({ host: address, port: options.port })
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, stop: async () => await stop(server) }
}

async function stop (server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  // A page that is open keeps its stream of events.
  server.closeAllConnections()
  await closed
}
