import { once } from 'node:events'
import { createServer } from 'node:net'
import { defaultUiPort } from '../src/playground/default-port.ts'
import { freePort } from '../test/control-plane/free-port.ts'

/** The port of the playground: the default one, or a free one if it is in use. */
export async function uiPort (): Promise<number> {
  const server = createServer().listen(defaultUiPort, '127.0.0.1')
  const isFree = await once(server, 'listening').then(() => true, () => false)
  server.close()
  return isFree ? defaultUiPort : await freePort()
}
