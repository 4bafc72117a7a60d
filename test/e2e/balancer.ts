import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Test } from 'tap'

export interface Endpoint { readonly port: number, readonly healthPort: number }

const probeEvery = 200

/**
 * Acts like a Service: new connections go to pods whose last readiness probe succeeded, open connections stay. If no pod is ready, a
 * connection is closed, and not retried elsewhere.
 */
export async function startBalancer (t: Pick<Test, 'teardown'>) {
  const ready = new Map<Endpoint, boolean>()
  const sockets = new Set<Socket>()
  let turn = 0
  let refused = 0
  const server = createServer(client => {
    const endpoints = [...ready].filter(([, isReady]) => isReady).map(([endpoint]) => endpoint)
    const endpoint = endpoints[turn++ % Math.max(1, endpoints.length)]
    if (!endpoint) {
      refused++
      client.destroy()
      return
    }
    const upstream = connect(endpoint.port, '127.0.0.1')
    for (const [one, other] of [[client, upstream], [upstream, client]] as const) {
      sockets.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        sockets.delete(one)
        other.end()
      })
      one.pipe(other)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  const probe = async () => {
    await Promise.all([...ready.keys()].map(async endpoint => {
      const isReady = await fetch(`http://127.0.0.1:${endpoint.healthPort}/readyz`).then(({ ok }) => ok, () => false)
      if (ready.has(endpoint)) ready.set(endpoint, isReady)
    }))
  }
  const probing = setInterval(() => void probe(), probeEvery)
  t.teardown(() => {
    clearInterval(probing)
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {
    port: (server.address() as AddressInfo).port,
    add: (endpoint: Endpoint) => { ready.set(endpoint, false) },
    remove: (endpoint: Endpoint) => { ready.delete(endpoint) },
    isReady: (endpoint: Endpoint) => ready.get(endpoint) === true,
    /** Connections that arrived while no pod was ready. */
    refused: () => refused,
  }
}
