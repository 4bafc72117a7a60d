import type { Server } from 'node:https'
import type { CertificateSource } from './certificate-source.ts'

/**
 * Makes a server, running or not, present what the source holds, now and after every change. Connections that are open
 * stay as they are; a client that resumes a session from before a change shakes hands in full and sees the new certificate.
 * Returns how to end it.
 */
export function serveWith (server: Server, source: CertificateSource): () => void {
  const present = () => {
    const pair = source.current()
    if (pair) server.setSecureContext({ cert: pair.certificate, key: pair.key, minVersion: 'TLSv1.2' })
  }
  present()
  return source.onChange(present)
}
