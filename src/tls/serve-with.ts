import type { Server } from 'node:https'
import type { CertificateSource } from './certificate-source.ts'
import type { ClientCa } from './client-ca.ts'

/**
 * Makes a server present the certificate of the source, now and after every change. The server may be running already. If `clientCa` is
 * given, the server accepts client certificates that this CA has signed, and follows changes of the CA, too. Open connections are not
 * affected. A client that resumes a session from before a change must do a full handshake and sees the new certificate.
 * Returns a function that unsubscribes from the source.
 */
export function serveWith (server: Server, source: CertificateSource, clientCa?: ClientCa): () => void {
  const present = () => {
    const pair = source.current()
    if (!pair) return
    const ca = clientCa ? { ca: clientCa.current() } : {}
    server.setSecureContext({ cert: pair.certificate, key: pair.key, minVersion: 'TLSv1.2', ...ca })
  }
  present()
  clientCa?.onChange(present)
  return source.onChange(present)
}
