import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls'
import type { Test } from 'tap'
import { issueCa, issueLeaf, type Issued } from '../../src/tls/issue.ts'

export const day = 24 * 3600 * 1000
export const inDays = (days: number) => new Date(Date.now() + days * day)

/** The contents of the three files of a serving certificate's folder. */
export interface Files { readonly 'tls.crt': string, readonly 'tls.key': string, readonly 'ca.crt': string }

export const ca = await issueCa({ commonName: 'test', days: 400 })

/** A pair for localhost, good for a month unless told otherwise. */
export async function issue ({ by = ca, days = 30, now = new Date(), names = ['localhost', '127.0.0.1'] }: {
  by?: Issued, days?: number, now?: Date, names?: readonly string[]
} = {}): Promise<Files> {
  const leaf = await issueLeaf(by, { commonName: 'test', names, days, now })
  return { 'tls.crt': leaf.certificate, 'tls.key': leaf.key, 'ca.crt': by.certificate }
}

export const expired = async () => await issue({ days: 1, now: inDays(-3) })

/** A server that answers every request with `ok`, closed with the test. */
export async function startServer (t: Test, { 'tls.crt': cert, 'tls.key': key }: Files): Promise<{ server: Server, port: number }> {
  const server = createServer({ cert, key }, (_request, response) => response.end('ok'))
  server.keepAliveTimeout = 60_000
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { server, port: (server.address() as AddressInfo).port }
}

/** A real client's handshake: host name and CA are checked, as the API server does. */
export async function handshake (port: number, ca: string | Buffer, name = 'localhost', host = '127.0.0.1'): Promise<TLSSocket> {
  const socket = connect({ host, port, ca, servername: name })
  await once(socket, 'secureConnect')
  return socket
}

/** The certificate that a new client is shown. */
export async function presented (port: number, ca: string | Buffer, name?: string): Promise<DetailedPeerCertificate> {
  const socket = await handshake(port, ca, name)
  const certificate = socket.getPeerCertificate(true)
  socket.destroy()
  return certificate
}
