import type { KindName } from '../../src/cluster/kinds.ts'
import { kinds } from '../../src/cluster/kinds.ts'
import type { KubernetesObject } from '../../src/cluster/kubernetes-object.ts'
import { referenceKey, type Known, type Observed, type SecretAsRead } from '../../src/controller/observed.ts'
import type { Step } from '../../src/controller/step.ts'
import { finalizer } from '../../src/dittoserver/api.ts'
import { readDittoServer } from '../../src/dittoserver/dittoserver.ts'
import { claimNames } from '../../src/render/volumes.ts'
import { childNames, labels, podName } from '../../src/render/names.ts'

// A manually created observation: a server called `demo` about which everything is known.

export const owner = {
  apiVersion: 'dittofs.dittofs.com/v1alpha1', kind: 'DittoServer', name: 'demo', uid: 'server-uid', controller: true, blockOwnerDeletion: true,
}

export interface Scene {
  readonly spec?: object
  readonly metadata?: object
  readonly status?: object
  /** By `Kind/name`; everything else that may belong to a server is absent. */
  readonly objects?: Readonly<Record<string, Known | KubernetesObject>>
  readonly secrets?: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly perconaServed?: boolean
}

export function observation (scene: Scene = {}): Observed {
  const { spec = {}, metadata = {}, status, objects = {}, secrets = {}, perconaServed = false } = scene
  const object = {
    apiVersion: 'dittofs.dittofs.com/v1alpha1',
    kind: 'DittoServer',
    metadata: { name: 'demo', namespace: 'files', uid: 'server-uid', resourceVersion: '7', generation: 1, finalizers: [finalizer], ...metadata },
    spec: { storage: { metadataSize: '1Gi' }, ...spec },
    ...(status === undefined ? {} : { status }),
  } as KubernetesObject
  const known = new Map<string, Known>([[referenceKey({ kind: 'DittoServer', name: 'demo' }), { state: 'present', object }]])
  for (const [key, found] of Object.entries(nothingThere)) known.set(key, found)
  for (const name of Object.keys(secrets)) {
    const metadata = name.startsWith('demo-') ? {} : { ownerReferences: [] }
    known.set(`Secret/${name}`, { state: 'present', object: child('Secret', name, metadata) })
  }
  for (const [key, found] of Object.entries(objects)) known.set(key, 'state' in found ? found as Known : { state: 'present', object: found })
  const read = new Map(Object.entries(secrets).map(([name, data]): [string, SecretAsRead] => [name, { data: encoded(data), version: `${name}@1` }]))
  return {
    object, server: readDittoServer(object).server, objects: known, secrets: { state: 'read', secrets: read }, perconaServed, perconaOperator: '2.9.0', newSigningKey: 'a'.repeat(43),
  }
}

const encoded = (data: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))

/** An object of the server as a watch brings it. */
export function child (kind: KindName, name: string, metadata: object = {}, rest: object = {}): KubernetesObject {
  return {
    apiVersion: kinds[kind].apiVersion,
    kind,
    metadata: {
      name, namespace: 'files', uid: `${kind}-${name}`, resourceVersion: '3', labels: labels('demo'), ownerReferences: [owner], ...metadata,
    },
    ...rest,
  }
}

const names = childNames('demo')
const absent: Known = { state: 'absent' }
const unlisted: Known = { state: 'unlisted' }
const nothingThere: Readonly<Record<string, Known>> = Object.fromEntries([
  ...[names.jwtSecret, names.postgresEnvSecret].map(name => [`Secret/${name}`, absent]),
  [`ConfigMap/${names.configMap}`, unlisted],
  ...[names.headlessService, names.fileService, names.apiService, names.metricsService].map(name => [`Service/${name}`, unlisted]),
  [`StatefulSet/${names.statefulSet}`, unlisted],
  [`PerconaPGCluster/${names.perconaCluster}`, unlisted],
  [`Pod/${podName('demo')}`, unlisted],
  ...claimNames('demo').map(name => [`PersistentVolumeClaim/${name}`, unlisted]),
] as [string, Known][])

/** `create ConfigMap demo-config`, in order. */
export const told = (steps: readonly Step[]): string[] => steps.map(step => `${step.do} ${step.kind} ${step.name}`)
