import { readFile } from 'node:fs/promises'
import { Agent, request } from 'node:https'
import { json } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { parseAllDocuments } from 'yaml'
import { ApiError } from '../../src/cluster/api-error.ts'
import { createRequest, mergePatchRequest } from '../../src/cluster/api-requests.ts'
import type { KubernetesObject } from '../../src/cluster/kubernetes-object.ts'
import { review, server } from '../admission/webhook.ts'
import { eventually, freePort, type ControlPlane } from '../control-plane/control-plane.ts'
import { onLoopback } from '../control-plane/loopback-webhooks.ts'
import { grantRights, serviceAccount, serviceAccountFlags } from './installation.ts'
import { startOperator } from './operator.ts'
import { serverOf } from './kubectl-user.ts'

// An installation without any certificate: the operator is to make its own, and to have it trusted.

export const manifests = fileURLToPath(new URL('../../manifests/', import.meta.url))
const admission = '/apis/admissionregistration.k8s.io/v1'
export const secretPath = `/api/v1/namespaces/${serviceAccount.namespace}/secrets/dittofs-operator-tls`

interface ClientConfig { readonly service?: { readonly path: string }, readonly url?: string, readonly caBundle?: string }
interface Webhook { readonly name: string, readonly clientConfig: ClientConfig }
export interface Configuration extends KubernetesObject { readonly webhooks: readonly Webhook[] }

/**
 * The rights of an operator that only answers reviews, and manifests/webhooks.yaml with a URL on loopback in place of the
 * Service; a failed call always shows.
 */
export async function installSelfSigned (plane: ControlPlane, port: number) {
  const { client } = plane
  const documents = parseAllDocuments(await readFile(`${manifests}webhooks.yaml`, 'utf8')).map(document => document.toJS() as Configuration)
  const configurations = documents.map(document => onLoopback(document, port))
  const collection = ({ kind }: KubernetesObject) => `${admission}/${kind.toLowerCase()}s`
  await grantRights(plane, { controller: false })
  const create = async (only?: 'mutating' | 'validating') => {
    for (const configuration of configurations.filter(({ kind }) => kind.toLowerCase().startsWith(only ?? ''))) await client.request(createRequest(collection(configuration), configuration))
  }
  const path = (kind: 'mutating' | 'validating') => `${admission}/${kind}webhookconfigurations/dittofs-operator`
  const read = async (kind: 'mutating' | 'validating') => await client.request<Configuration>({ verb: 'get', method: 'GET', path: path(kind) })
  return {
    create,
    path,
    read,
    bundle: async (kind: 'mutating' | 'validating') => Buffer.from((await read(kind)).webhooks[0]?.clientConfig.caBundle ?? '', 'base64').toString(),
    secret: async () => {
      const { data = {}, metadata } = await client.request<KubernetesObject & { data?: Record<string, string> }>({ verb: 'get', method: 'GET', path: secretPath })
      return { metadata, data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()])) }
    },
    /** `authority` is the earlier name of `ca`. */
    rotate: async (part: 'ca' | 'certificate' | 'authority') =>
      await client.request(mergePatchRequest(secretPath, { metadata: { annotations: { 'dittofs.dittofs.com/rotate': part } } }, 'test')),
  }
}

export type SelfSigned = Awaited<ReturnType<typeof installSelfSigned>>

/** Quicker than in a cluster of many API servers, but the same order of things. */
export const quickTimes = ['--tls-times', 'settle=500,overlap=3000,pollInterval=2000']

export async function startReplica (t: Pick<Test, 'teardown'>, plane: ControlPlane, args: readonly string[] = [], port?: number) {
  const own = port ?? await freePort()
  const operator = await startOperator(t, [
    ...await serviceAccountFlags(plane), '--port', String(own), '--tls-san', '127.0.0.1', '--no-controller', ...quickTimes, ...args,
  ])
  return { ...operator, port: own }
}

/** Creates that the API server does not keep. */
export function dryRunCreate ({ client }: ControlPlane): () => Promise<string | undefined> {
  let count = 0
  const path = '/apis/dittofs.dittofs.com/v1alpha1/namespaces/default/dittoservers'
  return async () => {
    try {
      await client.request({ ...createRequest(path, serverOf(`load-${count++}`)), query: { dryRun: 'All' } })
      return undefined
    } catch (error) {
      return error instanceof ApiError ? `${error.status} ${error.message}` : String(error)
    }
  }
}

/** Sends reviews over persistent connections, from a client that trusts only the CA bundle in the webhook configuration. */
export async function directReviews (t: Pick<Test, 'teardown'>, installed: SelfSigned, port: number) {
  const body = JSON.stringify(review({ object: server({}) }))
  let caBundle = await installed.bundle('validating')
  let agent = new Agent({ keepAlive: true, ca: caBundle })
  const follow = setInterval(() => void installed.bundle('validating').then(next => {
    if (next === caBundle) return
    caBundle = next
    // As the API server does: another bundle makes another client.
    agent = new Agent({ keepAlive: true, ca: caBundle })
  }, () => {}), 100)
  t.teardown(() => {
    clearInterval(follow)
    agent.destroy()
  })
  return async (): Promise<string | undefined> => {
    const { promise, resolve, reject } = Promise.withResolvers<string | undefined>()
    const outgoing = request({
      host: '127.0.0.1', port, path: '/validate?timeout=5s', method: 'POST', agent, timeout: 5_000, headers: { 'content-type': 'application/json' },
    }, reply => {
      json(reply).then(answer => {
        const { response } = answer as { response?: { uid?: string } }
        resolve(reply.statusCode === 200 && response?.uid ? undefined : `status ${reply.statusCode}: ${JSON.stringify(answer)}`)
      }, reject)
    })
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')))
    outgoing.on('error', error => { resolve(`${error.message}${outgoing.reusedSocket ? ' (on a connection used before)' : ''}`) })
    outgoing.end(body)
    return await promise
  }
}

export const told = async (operator: { lines: readonly { msg?: string }[] }, msg: string) =>
  await eventually(async () => operator.lines.some(line => line.msg === msg), msg, 15_000)
