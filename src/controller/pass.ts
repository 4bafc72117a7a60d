import { ApiError, hasStatus } from '../cluster/api-error.ts'
import { mergePatchRequest } from '../cluster/api-requests.ts'
import { kinds, type KindName } from '../cluster/kinds.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { resourcePath } from '../cluster/resource-path.ts'
import { fieldManager } from '../dittoserver/api.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import type { Claim } from '../render/claim.ts'
import { render, type Rendered } from '../render/index.ts'
import { renderInputs, templatesOf, type RenderInputs } from '../render/inputs.ts'
import { childNames, labels } from '../render/names.ts'
import { postgresEnvSecret } from '../render/postgres-env-secret.ts'
import { claimName, claimTemplates } from '../render/volumes.ts'
import type { FinalizeContext } from './finalize.ts'
import type { PodSecrets } from './pod-secrets.ts'
import type { Observation, Observed, StatefulSetState } from './status.ts'
import { planGrowth, storageObservation } from './storage-growth.ts'

export interface PassContext extends FinalizeContext {
  readonly secrets: PodSecrets
  readonly server: DittoServer
}

/** One pass over one server, from Secrets to StatefulSet. What it learns on the way is kept even if a step fails. */
export class Pass {
  readonly #context: PassContext
  #config: Observation = { status: 'Unknown', reason: 'Pending', message: 'The configuration is not in place yet.' }
  #database: Observation | undefined
  #storage: Observation = { status: 'Unknown', reason: 'Pending', message: 'The volumes were not looked at yet.' }
  #configHash: string | undefined

  constructor (context: PassContext) {
    this.#context = context
  }

  observed (): Observed {
    const { server } = this.#context
    return {
      config: this.#config,
      storage: this.#storage,
      ...(this.#database ? { database: this.#database } : {}),
      ...(this.#configHash ? { configHash: this.#configHash } : {}),
      ...(server.spec.percona.enabled ? { perconaClusterName: childNames(server.metadata.name).perconaCluster } : {}),
    }
  }

  /** @throws {ForeignObject}, and whatever the API server refuses */
  async run (): Promise<void> {
    const { server } = this.#context
    const inputs = await this.#inputs()
    this.#configHash = inputs.configHash
    const statefulSet = this.#live('StatefulSet', server.metadata.name)
    for (const rendered of render(server, inputs)) {
      if (rendered.kind === 'PerconaPGCluster') await this.#applyDatabase(rendered)
      else if (rendered.kind === 'StatefulSet') await this.#applyStatefulSet(rendered, statefulSet)
      else await this.#applyOrRemove(rendered)
      if (rendered.kind === 'ConfigMap') this.#config = { status: 'True', reason: 'ConfigValid', message: 'The configuration is in place.' }
    }
    if (!server.spec.percona.enabled) await this.#letGoOfDatabase()
  }

  async #inputs (): Promise<RenderInputs> {
    const { server, secrets, signal, fence } = this.#context
    const digest = await secrets.digest(server, signal, fence)
    if (digest.connection) await this.#apply('Secret', postgresEnvSecret(server, digest.connection) as unknown as KubernetesObject)
    const { name } = server.metadata
    return renderInputs(server, digest, {
      statefulSet: this.#live('StatefulSet', name), perconaCluster: this.#live('PerconaPGCluster', childNames(name).perconaCluster),
    })
  }

  async #applyOrRemove ({ kind, name, object }: Rendered): Promise<void> {
    if (object) await this.#apply(kind, object)
    else {
      const { applier, signal, fence } = this.#context
      const superfluous = this.#live(kind, name)
      if (superfluous) await applier.remove(kind, superfluous, { isOurs: this.#isOwned, signal, fence })
    }
  }

  /** The cluster is kept in line, field by field, but nobody's field is taken away from him. */
  async #applyDatabase ({ name, object }: Rendered): Promise<void> {
    const { live, applier, server, signal, fence } = this.#context
    if (!object) return
    if (!live.isServed('PerconaPGCluster')) {
      const message = 'The Percona operator for PostgreSQL is not installed: perconapgclusters.pgv2.percona.com is not served.'
      this.#database = { status: 'False', reason: 'PerconaNotInstalled', message }
      return
    }
    const current = this.#live('PerconaPGCluster', name)
    if (current?.metadata.deletionTimestamp !== undefined) {
      this.#database = { status: 'False', reason: 'PerconaTerminating', message: `PostgreSQL cluster ${name} is being deleted.` }
      return
    }
    const wanted = labels(server.metadata.name)
    const isOurs = ({ metadata }: KubernetesObject) => Object.entries(wanted).every(([key, value]) => metadata.labels?.[key] === value)
    const { object: cluster, left } = await applier.apply('PerconaPGCluster', object, { isOurs, force: false, signal, fence })
    const { state = '' } = (cluster.status ?? {}) as { state?: string }
    const others = left.length > 0 ? ` Managed by someone else, and left alone: ${left.join(', ')}.` : ''
    this.#database = state === 'ready'
      ? { status: 'True', reason: 'PerconaReady', message: `PostgreSQL is ready.${others}` }
      : { status: 'False', reason: 'PerconaNotReady', message: `PostgreSQL cluster ${name} is in state '${state || 'unknown'}'.${others}` }
  }

  /** A cluster that is no longer used keeps its data: it must not have an owner any more. */
  async #letGoOfDatabase (): Promise<void> {
    const { server, client, live, signal, fence } = this.#context
    const { uid, namespace } = server.metadata
    const cluster = this.#live('PerconaPGCluster', childNames(server.metadata.name).perconaCluster)
    const owners = cluster?.metadata.ownerReferences ?? []
    if (!cluster || !owners.some(owner => owner.uid === uid)) return
    fence()
    const path = resourcePath(kinds.PerconaPGCluster, { namespace, name: cluster.metadata.name })
    const patch = { metadata: { ownerReferences: owners.filter(owner => owner.uid !== uid) } }
    live.wrote('PerconaPGCluster', await client.request<KubernetesObject>({ ...mergePatchRequest(path, patch, fieldManager), signal }))
  }

  async #applyStatefulSet ({ object }: Rendered, current: KubernetesObject | undefined): Promise<void> {
    const { server, applier, signal, fence } = this.#context
    if (!object) return
    // A database that is not ready holds back the first start of the server, and nothing else.
    const mayStart = !this.#database || this.#database.status === 'True'
    if (!current && !mayStart) return
    // It is going away without its pod; the watch tells when it is gone.
    if (current?.metadata.deletionTimestamp !== undefined) {
      this.#storage = { status: 'False', reason: 'Expanding', message: 'The StatefulSet is being replaced, its pod keeps running.' }
      return
    }
    const existing = current && this.#isOwned(current) ? current : undefined
    // Ours from here on, and with it the claims: those of an earlier server of this name, or of the StatefulSet that was replaced.
    if (!existing) await this.#apply('StatefulSet', object)
    const wanted = claimTemplates(server)
    const plan = planGrowth(wanted, templatesOf(existing) ?? wanted, template => this.#claim(template))
    const refused = await this.#growClaims(plan.patches)
    this.#storage = storageObservation(plan, refused)
    // What is taken away must be sure to come back.
    if (existing && plan.replaceStatefulSet && mayStart) await applier.remove('StatefulSet', existing, { isOurs: this.#isOwned, signal, fence }, 'Orphan')
    else if (existing) await this.#apply('StatefulSet', object)
  }

  /** Resolves with the reason for which a claim may not grow, if so. */
  async #growClaims (patches: readonly { claim: string, size: string }[]): Promise<string | undefined> {
    const { server: { metadata: { namespace } }, client, live, signal, fence } = this.#context
    for (const { claim, size } of patches) {
      fence()
      const path = resourcePath(kinds.PersistentVolumeClaim, { namespace, name: claim })
      const patch = { spec: { resources: { requests: { storage: size } } } }
      try {
        live.wrote('PersistentVolumeClaim', await client.request<KubernetesObject>({ ...mergePatchRequest(path, patch, fieldManager), signal }))
      } catch (error) {
        if (error instanceof ApiError && (error.status === 403 || error.status === 422)) return error.message
        if (!hasStatus(error, 404)) throw error
      }
    }
    return undefined
  }

  #claim (template: string): Claim | undefined {
    return this.#live('PersistentVolumeClaim', claimName(template, this.#context.server.metadata.name)) as unknown as Claim | undefined
  }

  async #apply (kind: KindName, object: KubernetesObject): Promise<void> {
    const { applier, signal, fence } = this.#context
    await applier.apply(kind, object, { isOurs: this.#isOwned, force: true, signal, fence })
  }

  readonly #isOwned = ({ metadata: { ownerReferences = [] } }: KubernetesObject): boolean =>
    ownerReferences.some(({ uid, controller }) => controller === true && uid === this.#context.server.metadata.uid)

  #live (kind: KindName, name: string): KubernetesObject | undefined {
    return this.#context.live.get(kind, this.#context.server.metadata.namespace, name)
  }
}

/** What the StatefulSet says of itself. */
export function observeStatefulSet (object: KubernetesObject | undefined): { statefulSet?: StatefulSetState } {
  if (!object) return {}
  const status = (object.status ?? {}) as Partial<Record<string, number | string>>
  const count = (key: string) => Number(status[key] ?? 0)
  return {
    statefulSet: {
      generation: object.metadata.generation ?? 0,
      observedGeneration: count('observedGeneration'),
      readyReplicas: count('readyReplicas'),
      availableReplicas: count('availableReplicas'),
      updatedReplicas: count('updatedReplicas'),
      currentRevision: String(status.currentRevision ?? ''),
      updateRevision: String(status.updateRevision ?? ''),
    },
  }
}
