import type { Logger } from 'pino'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { gather } from '../admission/gather.ts'
import { defaultNamespace, nameOf, namespaceOf } from '../embedded/embedded-cluster.ts'
import type { Manifest } from '../embedded/manifests.ts'
import { OutputFolder } from '../embedded/output-folder.ts'
import { readFrom } from '../embedded/read-object.ts'
import { childNames } from '../render/names.ts'
import { sentence } from '../rules/finding.ts'
import { judge, prepare } from '../rules/judge.ts'
import type { Policy } from '../rules/policy.ts'
import type { Backend } from './backend.ts'
import { isDittoServer } from './manifest-files.ts'
import { renderServer, type Rendering } from './render.ts'

/** As in a cluster: what is refused changes nothing, its last good objects stay; and a signing key, once made, is never made again. */
function stays ({ kind, metadata }: KubernetesObject, { namespace, name, refused }: Rendering): boolean {
  if (metadata.namespace !== namespace || metadata.labels?.['app.kubernetes.io/instance'] !== name) return false
  return refused !== undefined || (kind === 'Secret' && metadata.name === childNames(name).jwtSecret)
}

/** Milliseconds; a cluster in memory needs none of them. */
const lookupBudget = 1_000

/** What the servers of the embedded cluster come to; with a folder for it, written there and kept up to date. */
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

  /** Of the last time. */
  get renderings (): readonly Rendering[] { return this.#renderings }

  /** Never rejects: the next change is another chance. */
  async update (): Promise<void> {
    await this.render().catch((error: unknown) => this.#log.error({ err: error }, 'objects not written'))
  }

  /** @throws for what the file system refuses */
  async render (): Promise<void> {
    const manifests = this.#backend.manifests()
    const before = await this.#out?.manifests() ?? []
    const read = readFrom(() => [...before, ...manifests])
    const renderings: Rendering[] = []
    for (const manifest of manifests.filter(isDittoServer)) {
      const rendering = await this.#denied(manifest) ?? await renderServer(manifest, defaultNamespace, this.#policy, read)
      const { namespace, name, refused } = rendering
      if (refused !== undefined) this.#log.warn({ namespace, name, reason: refused }, 'nothing is rendered')
      renderings.push(rendering)
    }
    this.#renderings = renderings
    if (!this.#out) return
    const known = before.map(({ object }) => object as unknown as KubernetesObject)
    const wanted = renderings.flatMap(rendering => [...rendering.objects, ...known.filter(object => stays(object, rendering))])
    const done = await this.#out.write(wanted)
    for (const file of done.foreign) this.#log.warn({ file }, 'left alone: this file is not ours')
    this.#log.info({ written: done.written.length, removed: done.removed.length }, 'objects written')
  }

  /** What admission denies never gets into a cluster. */
  async #denied (manifest: Manifest): Promise<Rendering | undefined> {
    const namespace = namespaceOf(manifest)
    const prepared = prepare({ operation: 'CREATE', object: manifest.object }, this.#policy)
    const { errors } = judge(prepared, await gather(prepared.needs, this.#backend.cluster, namespace, lookupBudget))
    return errors.length === 0 ? undefined : { manifest, namespace, name: nameOf(manifest), objects: [], refused: errors.map(sentence).join('; ') }
  }
}
