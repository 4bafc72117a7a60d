import type { Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { StartUpError } from './fault.ts'

type Listener = FastifyInstance<Server> | FastifyInstance

/** Resolves with the port. @throws {StartUpError} that names `setting` */
export async function listen (app: Listener, address: { host: string, port: number }, setting: string): Promise<number> {
  try {
    await app.listen(address)
  } catch (error) {
    throw new StartUpError(whyNot(error as NodeJS.ErrnoException, address, setting))
  }
  return portOf(app)
}

export function whyNot ({ code, message }: NodeJS.ErrnoException, { host, port }: { host: string, port: number }, setting: string): string {
  switch (code) {
    case 'EADDRINUSE': return `${setting}: port ${port} is in use`
    case 'EACCES': return `${setting}: no permission to listen on port ${port}`
    case 'ENOTFOUND': case 'EAI_AGAIN': return `--host ${host}: no such host name`
    case 'EADDRNOTAVAIL': case 'EINVAL': return `--host ${host}: not an address of this machine`
    case undefined: default: return `${setting}: ${message}`
  }
}

export const portOf = (app: { server: { address: () => AddressInfo | string | null } }): number => {
  const address = app.server.address()
  return typeof address === 'object' && address ? address.port : 0
}
