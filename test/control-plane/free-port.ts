import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * A port of the loopback interface that nobody listens on.
 *
 * It lies below the ranges that outgoing connections take theirs from (Linux 32768 and up, macOS and Windows 49152 and up).
 * So while a server is away no client's socket can sit on its port, nor can a client that tries again and again
 * be connected to itself.
 */
export async function freePort (): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_000)
    const server = createServer()
    try {
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
      return port
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    } finally {
      server.close()
    }
  }
}
