import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { ControlPlane } from '../control-plane/control-plane.ts'
import { issue } from '../tls/certificates.ts'

/**
 * A node of which the API server asks the logs of containers, as it does of a kubelet. `answer`: the chunks of the log. Resolves with what
 * was asked for. Ends with the test.
 */
export async function pretendKubelet (t: Pick<Test, 'teardown'>, { request }: Pick<ControlPlane, 'request'>, node: string, answer: (query: URLSearchParams) => AsyncIterable<string>) {
  const pair = await issue()
  const asked: URL[] = []
  const server = createServer({ cert: pair['tls.crt'], key: pair['tls.key'] }, (message, response) => {
    const url = new URL(message.url ?? '', 'https://kubelet')
    asked.push(url)
    response.writeHead(200, { 'Content-Type': 'text/plain' })
    void (async () => {
      for await (const chunk of answer(url.searchParams)) response.write(chunk)
      response.end()
    })()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const metadata = { name: node }
  const status = { addresses: [{ type: 'InternalIP', address: '127.0.0.1' }], daemonEndpoints: { kubeletEndpoint: { Port: port } } }
  await request('POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata })
  const { status: code, body } = await request('PATCH', `/api/v1/nodes/${node}/status`, { status }, 'application/merge-patch+json')
  if (code !== 200) throw new Error(JSON.stringify(body))
  return asked
}
