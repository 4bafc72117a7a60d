import { Agent, request } from 'node:https'
import { isIP } from 'node:net'
import { json } from 'node:stream/consumers'
import { withPatch, type PatchOperation } from '../admission/mutate.ts'
import type { AdmissionResponse } from '../admission/review.ts'
import { decodingErrors } from '../check/decoding.ts'
import { isMeantAsDittoServer } from '../check/kind.ts'
import { refusalLines } from '../check/refusal-lines.ts'
import { group, kind } from '../dittoserver/api.ts'
import type { Manifest } from '../embedded/manifests.ts'
import { plain } from '../dittoserver/quote.ts'
import { sentence } from '../rules/finding.ts'
import { kubectlView, reviewForCreate } from './kubectl-view.ts'
import type { Rendering } from './render.ts'

export interface Endpoint {
  /** The address to connect to. */
  readonly address: string
  /** The name in the certificate. */
  readonly name: string
  readonly port: number
  readonly ca: Buffer | string
}

/** Sends every DittoServer of the manifests to the server itself, as the API server would: verdicts, and the resulting objects. */
export async function tour (
  manifests: readonly Manifest[], endpoint: Endpoint, renderings: readonly Rendering[], write: (text: string) => void,
): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: endpoint.ca })
  try {
    for (const manifest of manifests.filter(isMeantAsDittoServer)) {
      const { allowed, lines } = await verdictOn(manifest, endpoint, agent)
      const { objects = [], refused } = renderings.find(rendering => rendering.manifest === manifest) ?? {}
      if (allowed) lines.push(...objects.map(({ kind: made, metadata }) => `  creates ${made} ${metadata.name}`))
      if (allowed && refused !== undefined) lines.push(`  creates nothing: ${refused}`)
      write(`\n# ${manifest.source}\n${lines.join('\n')}\n`)
    }
  } finally {
    agent.destroy()
  }
}

async function verdictOn (manifest: Manifest, endpoint: Endpoint, agent: Agent): Promise<{ allowed: boolean, lines: string[] }> {
  const { name, namespace } = manifest
  // The API server would never send an object that it could not decode.
  const undecodable = decodingErrors(manifest.object)
  if (undecodable.length > 0) return { allowed: false, lines: refusalLines(plain(name), undecodable.map(sentence)) }
  const review = (object: unknown) => reviewForCreate(object, name, namespace, crypto.randomUUID())
  const mutation = await post('/mutate', review(manifest.object), endpoint, agent)
  const patch = mutation.patch ? JSON.parse(Buffer.from(mutation.patch, 'base64').toString()) as PatchOperation[] : []
  const set = patch.map(({ path, value }) => `(${path.slice(1).replaceAll('/', '.')}: ${value} was filled in)`)
  const validation = await post('/validate', review(withPatch(manifest.object, patch)), endpoint, agent)
  return { allowed: validation.allowed, lines: [...set, ...kubectlView(name, validation)] }
}

async function post (path: string, body: unknown, { address, name, port }: Endpoint, agent: Agent): Promise<AdmissionResponse> {
  const { promise, resolve, reject } = Promise.withResolvers<AdmissionResponse>()
  const headers = { host: name, 'content-type': 'application/json' }
  const outgoing = request({ host: address, port, path, method: 'POST', agent, servername: isIP(name) ? '' : name, headers }, reply => {
    json(reply).then(answer => {
      const { response, message } = answer as { response?: AdmissionResponse, message?: string }
      if (response) resolve(response)
      else reject(new Error(`${path}: HTTP ${reply.statusCode}: ${message ?? ''}`))
    }, reject)
  })
  outgoing.on('error', reject)
  outgoing.end(JSON.stringify(body))
  return await promise
}

/** A command that users can paste to send a review manually. */
export function curlCommand ({ address, name, port }: Endpoint, caFile: string): string {
  const review = reviewForCreate({
    apiVersion: `${group}/v1alpha1`, kind, metadata: { name: 'demo' }, spec: { storage: { metadataSize: '10Gi', storageClassName: 'nope' } },
  }, 'demo', 'default', '1')
  const resolve = name === 'localhost' && address === '127.0.0.1' ? '' : ` --resolve ${name}:${port}:${address}`
  return `curl --cacert ${quoted(caFile)}${resolve} -H 'content-type: application/json' https://${name}:${port}/validate -d ${quoted(JSON.stringify(review))}`
}

/** Quotes an argument for a shell. */
const quoted = (text: string) => /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
