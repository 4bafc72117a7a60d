import { stringify } from 'yaml'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { refusalOf } from '../controller/guard.ts'
import { readDittoServer } from '../dittoserver/dittoserver.ts'
import { metadataOf } from '../embedded/embedded-cluster.ts'
import type { Manifest } from '../embedded/manifests.ts'
import { readFrom } from '../embedded/read-object.ts'
import { renderOffline, type ReadObject } from '../render/offline.ts'
import { defaultPolicy, type Policy } from '../rules/policy.ts'
import { connect } from './live.ts'
import { isDittoServer, readAll } from './manifest-files.ts'

export interface RenderOptions {
  readonly filename: readonly string[]
  readonly state?: string
  readonly kubeconfig?: string
  readonly context?: string
  readonly namespace: string
}

/** What a DittoServer among the manifests comes to. */
export interface Rendering {
  readonly manifest: Manifest
  readonly namespace: string
  readonly name: string
  readonly objects: readonly KubernetesObject[]
  /** Why nothing is rendered. */
  readonly refused?: string
}

/** @throws whatever `read` does */
export async function renderServer (manifest: Manifest, defaultNamespace: string, policy: Policy, read: ReadObject): Promise<Rendering> {
  const { name, namespace: given } = metadataOf(manifest.object)
  const namespace = given || defaultNamespace
  const object = { ...manifest.object, metadata: { ...manifest.object.metadata as object, namespace } } as unknown as KubernetesObject
  const { server } = readDittoServer(object)
  const refusal = refusalOf(object, server, policy, await read('StatefulSet', namespace, name))
  if (refusal) return { manifest, namespace, name, objects: [], refused: refusal.observation.message }
  return { manifest, namespace, name, objects: await renderOffline(server, read) }
}

/** Prints every object as one YAML stream. Resolves with the exit code: 1 when a server is refused. @throws {UsageError} */
export async function renderCommand (options: RenderOptions): Promise<number> {
  const manifests = await readAll(options.filename, '--filename')
  const { read, close } = await surroundingsOf(options, manifests)
  let exitCode = 0
  try {
    for (const manifest of manifests.filter(isDittoServer)) {
      const { name, objects, refused } = await renderServer(manifest, options.namespace, defaultPolicy, read)
      if (refused !== undefined) {
        process.stderr.write(`${manifest.source}: ${name} is refused: ${refused}\n`)
        exitCode = 1
      }
      process.stdout.write(objects.map(object => `---\n${toYaml(object)}`).join(''))
    }
  } finally {
    await close()
  }
  return exitCode
}

const toYaml = (object: KubernetesObject): string => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })

async function surroundingsOf ({ state, kubeconfig, context, namespace }: RenderOptions, stream: readonly Manifest[]) {
  if (kubeconfig) {
    const { read, close } = await connect({ kubeconfig, ...(context ? { context } : {}) })
    return { read, close }
  }
  const known = [...state ? await readAll([state], '--state') : [], ...stream]
  const inNamespace = known.map(manifest => metadataOf(manifest.object).namespace ? manifest : withNamespace(manifest, namespace))
  return { read: readFrom(() => inNamespace), close: async () => {} }
}

const withNamespace = (manifest: Manifest, namespace: string): Manifest =>
  ({ ...manifest, object: { ...manifest.object, metadata: { ...manifest.object.metadata as object, namespace } } })
