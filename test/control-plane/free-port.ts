import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * A free port of the loopback interface.
 *
 * It is below the ranges of ephemeral ports (Linux 32768 and up, macOS and Windows 49152 and up). So while a server is down, the socket of
 * another client cannot occupy its port, and a client that retries cannot connect to itself.
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
