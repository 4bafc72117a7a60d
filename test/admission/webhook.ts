import { once } from 'node:events'
import { Agent, request, type RequestOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { connect, type TLSSocket } from 'node:tls'
import { pino } from 'pino'
import { generate } from 'selfsigned'
import type { Test } from 'tap'
import { buildServer } from '../../src/admission/server.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { EmbeddedCluster } from '../../src/embedded/embedded-cluster.ts'
import { parseManifests } from '../../src/embedded/manifests.ts'
import { createMetrics } from '../../src/metrics.ts'
import { defaultPolicy } from '../../src/rules/policy.ts'

export interface Answer {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly body: {
    kind?: string
    message?: string
    code?: number
    apiVersion?: string
    response?: {
      uid: string
      allowed: boolean
      warnings?: string[]
      patch?: string
      patchType?: string
      auditAnnotations?: Record<string, string>
      status?: {
        code: number
        reason: string
        message: string
        details?: { name?: string, causes: { field: string, message: string, reason: string }[] }
      }
    }
  }
}

export const storageClasses = `
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: standard, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
`

export const embedded = (yaml: string): Cluster => {
  const manifests = parseManifests(yaml, 'test')
  return new EmbeddedCluster(() => manifests)
}

/** The real server on a port of its own, spoken to over TLS, with its log lines at hand. */
export async function startWebhook (t: Test, { cluster = embedded(storageClasses), maxInFlight = 100, maxConnections = 1_000, level = 'info' } = {}) {
  const lines: Record<string, unknown>[] = []
  const logger = pino({ level }, { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) })
  const pair = await generate([{ name: 'commonName', value: 'localhost' }], { keyType: 'ec', algorithm: 'sha256' })
  const metrics = createMetrics()
  const tls = { cert: pair.cert, key: pair.private }
  const app = buildServer({ logger, tls, cluster, policy: defaultPolicy, metrics, maxInFlight, maxConnections })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const agent = new Agent({ keepAlive: true, maxSockets: 4, ca: pair.cert, servername: 'localhost', checkServerIdentity: () => undefined })
  t.teardown(async () => {
    agent.destroy()
    app.server.closeAllConnections()
    await app.close()
  })

  const send = async (path: string, body: string | Buffer, options: RequestOptions = {}): Promise<Answer> => {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...options.headers }
    const outgoing = request({ host: '127.0.0.1', port, path, method: 'POST', agent, ...options, headers }, reply => {
      json(reply).then(parsed => resolve({ status: reply.statusCode ?? 0, headers: reply.headers, body: parsed as Answer['body'] }), reject)
    })
    outgoing.on('error', reject)
    outgoing.end(body)
    return await promise
  }
  const rawConnection = async (): Promise<TLSSocket> => {
    const socket = connect({ host: '127.0.0.1', port, ca: pair.cert, servername: 'localhost', checkServerIdentity: () => undefined })
    await once(socket, 'secureConnect')
    return socket
  }
  const sendReview = async (path: string, over: object = {}) => await send(path, JSON.stringify(review(over)))
  return { app, port, agent, metrics, lines, send, rawConnection, review: sendReview }
}

export const server = (spec: object = {}, metadata: object = {}) => ({
  apiVersion: 'dittofs.dittofs.com/v1alpha1',
  kind: 'DittoServer',
  metadata: { name: 'demo', namespace: 'files', ...metadata },
  spec: { storage: { metadataSize: '10Gi', cacheSize: '5Gi' }, ...spec },
})

/** An AdmissionReview, parts of its request replaced. */
export const review = (over: object = {}) => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: {
    uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
    kind: { group: 'dittofs.dittofs.com', version: 'v1alpha1', kind: 'DittoServer' },
    operation: 'CREATE',
    name: 'demo',
    namespace: 'files',
    userInfo: { username: 'alice' },
    object: server(),
    oldObject: null,
    dryRun: false,
    ...over,
  },
})
