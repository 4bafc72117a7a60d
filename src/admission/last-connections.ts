import type { Server } from 'node:https'
import type { Socket } from 'node:net'

/** Milliseconds in which a request that is on its way arrives. */
const onItsWay = 1_000

/**
 * Lets a server that closes come to an end. Node waits for connections that never carried a request, such as a client's
 * spare ones and those that are still shaking hands, until the client gives them up, which takes the API server 90 s; and it
 * no longer ends requests that take too long to arrive. Returns what is to be called when the close begins.
 */
export function endLastConnections (server: Server, requestTimeout: number): () => void {
  /** By the client's address and port, which a TLS socket has in common with the one below it. */
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
