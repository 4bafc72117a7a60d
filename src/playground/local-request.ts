import type { IncomingMessage } from 'node:http'

const local = new Set(['localhost', '127.0.0.1', '[::1]'])

/**
 * Whether a request comes from a page of this server. A name of another site may lead to 127.0.0.1 (DNS rebinding), and its pages could
 * then read the answers; such a request has that name as its host. Any port is right, because `kubectl port-forward` may use another one.
 */
export function isLocal ({ headers: { host = '', origin } }: Pick<IncomingMessage, 'headers'>): boolean {
  return isLocalUrl(`http://${host}`) && (origin === undefined || isLocalUrl(origin))
}

function isLocalUrl (url: string): boolean {
  try {
    const { protocol, hostname, username, pathname } = new URL(url)
    return protocol === 'http:' && local.has(hostname) && username === '' && pathname === '/'
  } catch {
    return false
  }
}
