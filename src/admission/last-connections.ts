import type { Server } from 'node:https'
import type { Socket } from 'node:net'

/** Milliseconds within which a request that was already sent arrives. */
const onItsWay = 1_000

/**
 * Lets a closing server finish. Node waits for connections that never carried a request, such as spare connections of a client or
 * unfinished handshakes, until the client closes them; the API server does so after 90 s. Node also stops enforcing the request timeout.
 * Returns a function to call when the close begins.
 */
export function endLastConnections (server: Server, requestTimeout: number): () => void {
  /** By address and port of the client, which the TLS socket and the TCP socket have in common. */
  const shaking = new Map<string, Socket>()
  const unused = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    const key = keyOf(socket)
    shaking.set(key, socket)
    socket.once('close', () => { if (shaking.get(key) === socket) shaking.delete(key) })
  })
  server.on('secureConnection', socket => {
    shaking.delete(keyOf(socket))
    unused.add(socket)
    socket.once('close', () => { unused.delete(socket) })
  })
  server.on('request', ({ socket }) => { unused.delete(socket) })
  return () => {
    const sweep = setInterval(() => {
      for (const socket of [...shaking.values(), ...unused]) socket.destroy()
      server.closeIdleConnections()
    }, onItsWay)
    const last = setTimeout(() => { server.closeAllConnections() }, requestTimeout)
    server.once('close', () => {
      clearInterval(sweep)
      clearTimeout(last)
    })
  }
}

const keyOf = ({ remoteAddress = '', remotePort = 0 }: Socket) => `${remoteAddress} ${remotePort}`
