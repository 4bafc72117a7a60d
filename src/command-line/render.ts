import { stringify } from 'yaml'
import { decodingErrors } from '../check/decoding.ts'
import { isMeantAsDittoServer } from '../check/kind.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { refusalOf } from '../controller/plan/refusal.ts'
import { kind } from '../dittoserver/api.ts'
import { readDittoServer } from '../dittoserver/dittoserver.ts'
import { defaultNamespace, isManifest, isUnreadable, type Manifest } from '../embedded/manifests.ts'
import { readFrom } from '../embedded/read-object.ts'
import { renderOffline, type ReadObject } from '../render/offline.ts'
import { sentence } from '../rules/finding.ts'
import { parsePolicy, type Policy } from '../rules/policy.ts'
import { readInputs } from './inputs.ts'
import { chosenCluster, connect } from './live.ts'
import type { Terminal } from './terminal.ts'

export interface RenderOptions {
  readonly filename: readonly string[]
  readonly state?: readonly string[]
  readonly kubeconfig?: string
  readonly context?: string
  readonly namespace?: string
  readonly rule?: readonly string[]
}

/** The result for a DittoServer in the manifests. */
export interface Rendering {
  readonly manifest: Manifest
  readonly objects: readonly KubernetesObject[]
  /** Why nothing is rendered. */
  readonly refused?: string
}

export const refusedRendering = (manifest: Manifest, refused: string): Rendering => ({ manifest, objects: [], refused })

/** Rejects like `read`. */
export async function renderServer (manifest: Manifest, policy: Policy, read: ReadObject): Promise<Rendering> {
  const { name, namespace } = manifest
  const errors = decodingErrors(manifest.object)
  if (errors.length > 0) return refusedRendering(manifest, errors.map(sentence).join('; '))
  const object = { ...manifest.object, metadata: { ...manifest.object.metadata as object, namespace } } as unknown as KubernetesObject
  const { server } = readDittoServer(object)
  const refusal = refusalOf(object, server, policy, await read('StatefulSet', namespace, name))
  if (refusal) return refusedRendering(manifest, refusal.observation.message)
  return { manifest, objects: await renderOffline(server, read) }
}

/**
 * Prints all objects as one YAML stream. Resolves with the exit code: 0 everything is rendered, 1 something is refused, 2 there is nothing
 * to render. @throws {UsageError}
 */
export async function renderCommand (options: RenderOptions, terminal: Terminal): Promise<number> {
  const policy = parsePolicy(options.rule ?? [])
  const chosen = chosenCluster(options)
  const live = chosen && await connect(chosen)
  const { print, say } = terminal
  try {
    const namespace = options.namespace ?? live?.namespace ?? defaultNamespace
    const input = await readInputs(options.filename, '--filename', namespace, terminal)
    const state = await readInputs(options.state ?? [], '--state', namespace, terminal)
    const known = [...state, ...input].filter(isManifest)
    const read = live?.read ?? readFrom(() => known)
    const unreadable = [...state, ...input].filter(isUnreadable)
    for (const { source, problem } of unreadable) say(`${source}: ${problem}`)
    const servers = input.filter(isManifest).filter(isMeantAsDittoServer)
    let refusals = unreadable.length
    for (const manifest of servers) {
      const { objects, refused } = await renderServer(manifest, policy, read)
      if (refused !== undefined) {
        say(`${manifest.source}: ${manifest.name} is refused: ${refused}`)
        refusals++
      }
      print(objects.map(object => `---\n${toYaml(object)}`).join(''))
    }
    if (refusals > 0) return 1
    if (servers.length > 0) return 0
    say(`nothing was rendered: the input contains no ${kind}`)
    return 2
  } finally {
    await live?.close()
  }
}

const toYaml = (object: KubernetesObject): string => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })
