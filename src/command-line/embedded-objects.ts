import type { Logger } from 'pino'
import { gather } from '../admission/gather.ts'
import { isMeantAsDittoServer } from '../check/kind.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import type { Manifest } from '../embedded/manifests.ts'
import { OutputFolder } from '../embedded/output-folder.ts'
import { readFrom } from '../embedded/read-object.ts'
import { childNames } from '../render/names.ts'
import type { ReadObject } from '../render/offline.ts'
import { sentence } from '../rules/finding.ts'
import { judge, prepare } from '../rules/judge.ts'
import type { Policy } from '../rules/policy.ts'
import type { Backend } from './backend.ts'
import { refusedRendering, renderServer, type Rendering } from './render.ts'

/** As in a cluster: a refused spec changes nothing, and the last valid objects are kept; a signing key is created only once. */
function stays ({ kind, metadata }: KubernetesObject, { manifest: { namespace, name }, refused }: Rendering): boolean {
  if (metadata.namespace !== namespace || metadata.labels?.['app.kubernetes.io/instance'] !== name) return false
  return refused !== undefined || (kind === 'Secret' && metadata.name === childNames(name).jwtSecret)
}

/** Milliseconds; a cluster in memory needs none. */
const lookupBudget = 1_000

/** The objects of the servers in the embedded cluster; with an output folder, written there and kept up to date. */
export class EmbeddedObjects {
  readonly #backend: Backend
  readonly #policy: Policy
  readonly #log: Logger
  readonly #out: OutputFolder | undefined
  #renderings: readonly Rendering[] = []

  constructor (backend: Backend, policy: Policy, log: Logger, out: string | undefined) {
    this.#backend = backend
    this.#policy = policy
    this.#log = log
    this.#out = out === undefined ? undefined : new OutputFolder(out)
  }

  /** The result of the last rendering. */
  get renderings (): readonly Rendering[] { return this.#renderings }

  /** Never rejects: it is retried at the next change. */
  async update (): Promise<void> {
    await this.render().catch((error: unknown) => this.#log.error({ err: error }, 'objects not written'))
  }

  /** @throws errors of the file system */
  async render (): Promise<void> {
    const manifests = this.#backend.manifests()
    const before = await this.#out?.manifests() ?? []
    const read = readFrom(() => [...before, ...manifests])
    const renderings: Rendering[] = []
    for (const manifest of manifests.filter(isMeantAsDittoServer)) {
      const rendering = await this.#renderOne(manifest, read)
      const { refused } = rendering
      if (refused !== undefined) this.#log.warn({ namespace: manifest.namespace, name: manifest.name, reason: refused }, 'nothing is rendered')
      renderings.push(rendering)
    }
    this.#renderings = renderings
    if (!this.#out) return
    const known = before.map(({ object }) => object as unknown as KubernetesObject)
    const wanted = renderings.flatMap(rendering => [...rendering.objects, ...known.filter(object => stays(object, rendering))])
    const done = await this.#out.write(wanted)
    for (const file of done.foreign) this.#log.warn({ file }, 'file not changed: dittofs-operator did not write it')
    this.#log.info({ written: done.written.length, removed: done.removed.length }, 'objects written')
  }

  /** A server that cannot be rendered must not affect the others. */
  async #renderOne (manifest: Manifest, read: ReadObject): Promise<Rendering> {
    try {
      return await this.#denied(manifest) ?? await renderServer(manifest, this.#policy, read)
    } catch (error) {
      this.#log.error({ err: error, source: manifest.source }, 'a manifest could not be rendered')
      return refusedRendering(manifest, `a bug in dittofs-operator: ${(error as Error).message}`)
    }
  }

  /** Objects that admission denies are never stored in a cluster. */
  async #denied (manifest: Manifest): Promise<Rendering | undefined> {
    const prepared = prepare({ operation: 'CREATE', object: manifest.object }, this.#policy)
    const { errors } = judge(prepared, await gather(prepared.needs, this.#backend.cluster, manifest.namespace, lookupBudget))
    return errors.length === 0 ? undefined : refusedRendering(manifest, errors.map(sentence).join('; '))
  }
}
