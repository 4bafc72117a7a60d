import type { ApiClient } from '../cluster/api-client.ts'
import { failureReason } from '../cluster/failure-reason.ts'
import { findObject } from '../cluster/find-object.ts'
import { kinds, type KindName } from '../cluster/kinds.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { resourcePath } from '../cluster/resource-path.ts'
import { percona } from '../dittoserver/api.ts'
import { readDittoServer, type DittoServer } from '../dittoserver/dittoserver.ts'
import { versionOnCrd } from '../percona/installed-version.ts'
import { newSigningKey } from '../render/jwt-secret.ts'
import { childNames, podName } from '../render/names.ts'
import type { SecretData } from '../render/secret-uses.ts'
import type { Fact } from '../rules/facts.ts'
import { claimName, claimNames, claimTemplates } from '../render/volumes.ts'
import { cachedForm } from './cached-form.ts'
import type { Caches } from './caches.ts'
import { referenceKey, withKnown, type Known, type Observed, type Reference, type SecretAsRead, type SecretsKnown } from './observed.ts'
import { absentVersion, isSealed, secretNames, versionOf } from './secret-versions.ts'

/** Looks up a StorageClass. */
export type FindStorageClass = (name: string, signal: AbortSignal) => Promise<Fact<unknown>>

export interface ObserverOptions {
  readonly client: Pick<ApiClient, 'request'>
  readonly caches: Caches
  /** Absent: StorageClasses are not checked. */
  readonly storageClass?: FindStorageClass | undefined
}

export interface ObserveOptions {
  readonly signal: AbortSignal
  /** Kinds whose watch lags behind our own writes: their objects are read by name. */
  readonly byName: ReadonlySet<KindName>
}

/** The reply to a write; undefined after a deletion. */
export type Reply = readonly [Reference, KubernetesObject | undefined]

/** Observes all objects of a server once. The rest of the pass uses only this observation. */
export class Observer {
  readonly #options: ObserverOptions

  constructor (options: ObserverOptions) {
    this.#options = options
  }

  /** Undefined: the server does not exist. */
  async observe (namespace: string, name: string, { signal, byName }: ObserveOptions): Promise<Observed | undefined> {
    const { caches } = this.#options
    const server = byName.has('DittoServer')
      ? await this.#read({ kind: 'DittoServer', name }, namespace, signal)
      : caches.known('DittoServer', namespace, name)
    if (server?.state !== 'present') return undefined
    const objects = new Map([[referenceKey({ kind: 'DittoServer', name }), server as Known]])
    const read = asServer(server.object)
    for (const reference of referencesOf(read.server)) {
      const known = byName.has(reference.kind) ? undefined : caches.known(reference.kind, namespace, reference.name)
      objects.set(referenceKey(reference), known ?? await this.#read(reference, namespace, signal))
    }
    const known = { ...read, ...this.#percona(), objects, newSigningKey: newSigningKey() }
    const base = { ...known, ...await this.#missingClass(known, signal) }
    return { ...base, secrets: await this.#secrets(base, signal) }
  }

  /** The kind may be served shortly before the watch on its CRD shows the version. */
  #percona (): Pick<Observed, 'perconaServed' | 'perconaOperator'> {
    const { caches } = this.#options
    const crd = caches.get('CustomResourceDefinition', '', percona.crdName)
    const isYetToBeSeen = !crd && caches.isServed('CustomResourceDefinition')
    return { perconaServed: caches.isServed('PerconaPGCluster') && !isYetToBeSeen, perconaOperator: crd && versionOnCrd(crd) }
  }

  /** A volume that is already bound does not need its StorageClass any more. */
  async #missingClass ({ server, objects }: Pick<Observed, 'server' | 'objects'>, signal: AbortSignal): Promise<Pick<Observed, 'missingClass'>> {
    const { storageClassName } = server.spec.storage
    if (!storageClassName) return {}
    const wait = claimTemplates(server).some(({ metadata }) => {
      const claim = objects.get(referenceKey({ kind: 'PersistentVolumeClaim', name: claimName(metadata.name, server.metadata.name) }))
      return claim?.state !== 'present' || (claim.object as { status?: { phase?: string } }).status?.phase !== 'Bound'
    })
    const fact = wait ? await this.#options.storageClass?.(storageClassName, signal) : undefined
    return fact?.state === 'absent' ? { missingClass: storageClassName } : {}
  }

  /** Reads objects by name, and the Secrets again if one of the objects is a Secret. */
  async look (observed: Observed, references: readonly Reference[], signal: AbortSignal): Promise<Observed> {
    const { namespace } = observed.server.metadata
    const found: [Reference, Known][] = []
    for (const reference of references) found.push([reference, await this.#read(reference, namespace, signal)])
    return await this.#withSecrets(withKnown(observed, found), references, signal)
  }

  /** The observation after writes: the replies of the API server replace the observed objects. */
  async after (observed: Observed, replies: readonly Reply[], signal: AbortSignal): Promise<Observed> {
    const own = replies.find(([{ kind }, object]) => kind === 'DittoServer' && object)?.[1]
    const found = replies.map(([reference, object]): [Reference, Known] =>
      [reference, object ? { state: 'present', object: cachedForm(reference.kind, object) } : { state: 'absent' }])
    const next = withKnown({ ...observed, ...(own ? asServer(own) : {}) }, found)
    return await this.#withSecrets(next, replies.map(([reference]) => reference), signal)
  }

  async #withSecrets (observed: Observed, changed: readonly Reference[], signal: AbortSignal): Promise<Observed> {
    return changed.some(({ kind }) => kind === 'Secret') ? { ...observed, secrets: await this.#secrets(observed, signal) } : observed
  }

  async #read ({ kind, name }: Reference, namespace: string, signal: AbortSignal): Promise<Known> {
    try {
      const object = await findObject(this.#options.client, resourcePath(kinds[kind], { namespace, name }), { signal, retry: true })
      return object ? { state: 'present', object: cachedForm(kind, object), read: true } : { state: 'absent' }
    } catch (error) {
      signal.throwIfAborted()
      return { state: 'unknown', reason: failureReason(error, `get ${kinds[kind].resource}`) }
    }
  }

  /** Secret data is read only if a version differs from the one that the StatefulSet was rendered from. It is discarded after the pass. */
  async #secrets (observed: Omit<Observed, 'secrets'>, signal: AbortSignal): Promise<SecretsKnown> {
    const { server, objects } = observed
    const versions = new Map<string, string>()
    for (const name of secretNames(server)) {
      const found = objects.get(referenceKey({ kind: 'Secret', name }))
      if (found?.state === 'unknown') return { state: 'unknown', reason: `Secret ${name} cannot be read: ${found.reason}` }
      versions.set(name, found?.state === 'present' ? versionOf(found.object) : absentVersion)
    }
    const statefulSet = objects.get(referenceKey({ kind: 'StatefulSet', name: server.metadata.name }))
    const current = statefulSet?.state === 'present' ? statefulSet.object : undefined
    if (isSealed(server, current, name => versions.get(name) ?? absentVersion)) return { state: 'unchanged' }
    const existing = [...versions.keys()].filter(name => versions.get(name) !== absentVersion)
    return await this.#readSecrets(server, existing, signal)
  }

  /** A hash that omits an existing Secret would restart the pod twice. So if one Secret cannot be read, all Secrets are unknown. */
  async #readSecrets ({ metadata: { namespace } }: DittoServer, names: readonly string[], signal: AbortSignal): Promise<SecretsKnown> {
    const secrets = new Map<string, SecretAsRead>()
    for (const name of names) {
      try {
        const secret = await findObject(this.#options.client, resourcePath(kinds.Secret, { namespace, name }), { signal, retry: true })
        if (secret) secrets.set(name, asRead(secret))
      } catch (error) {
        signal.throwIfAborted()
        return { state: 'unknown', reason: `Secret ${name} cannot be read: ${failureReason(error, 'get secrets')}` }
      }
    }
    return { state: 'read', secrets }
  }
}

const asRead = (secret: KubernetesObject): SecretAsRead => ({
  data: (secret.data ?? {}) as SecretData,
  version: versionOf(secret),
  ...(typeof secret.type === 'string' ? { type: secret.type } : {}),
  ...(secret.immutable === true ? { immutable: true } : {}),
})

const asServer = (object: KubernetesObject) => ({ object, server: readDittoServer(object).server })

/** All objects that may belong to a server, and the Secrets that its pod reads. */
function referencesOf (server: DittoServer): Reference[] {
  const { name } = server.metadata
  const { configMap, statefulSet, perconaCluster, postgresEnvSecret, ...services } = childNames(name)
  const { headlessService, fileService, apiService, metricsService } = services
  const all = (kind: KindName, names: Iterable<string>) => [...names].map(each => ({ kind, name: each }))
  return [
    ...all('ConfigMap', [configMap]),
    ...all('Service', [headlessService, fileService, apiService, metricsService]),
    ...all('StatefulSet', [statefulSet]),
    ...all('PerconaPGCluster', [perconaCluster]),
    ...all('PersistentVolumeClaim', claimNames(name)),
    ...all('Pod', [podName(name)]),
    ...all('Secret', new Set([postgresEnvSecret, ...secretNames(server)])),
  ]
}
