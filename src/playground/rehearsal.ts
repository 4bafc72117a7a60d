import { kinds, type KindName } from '../cluster/kinds.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { cachedForm } from '../controller/cached-form.ts'
import { present, referenceKey, withKnown, type Known, type Observed, type Reference, type SecretAsRead } from '../controller/observed.ts'
import { plan, type Plan } from '../controller/plan/plan.ts'
import { secretNames } from '../controller/secret-versions.ts'
import type { Step } from '../controller/step.ts'
import { finalizer, percona } from '../dittoserver/api.ts'
import { readDittoServer } from '../dittoserver/dittoserver.ts'
import { isObject } from '../dittoserver/structural.ts'
import { versionOnCrd } from '../percona/installed-version.ts'
import type { Claim } from '../render/claim.ts'
import { templatesOf } from '../render/inputs.ts'
import { newSigningKey } from '../render/jwt-secret.ts'
import { childNames, podName } from '../render/names.ts'
import { claimName, claimNames } from '../render/volumes.ts'
import type { Policy } from '../rules/policy.ts'
import type { Surroundings } from './surroundings.ts'

// The plan of the reconcile loop, carried out on objects in memory. The steps are the loop's own; here is only what the API server and the
// controllers of Kubernetes would answer.

export interface Rehearsed {
  readonly observed: Observed
  /** All steps, in order. */
  readonly steps: readonly Step[]
  /** Why the loop went no further. */
  readonly stop: Plan['stop']
}

/** A loop that needs more passes than this would not end. A growth needs three, a replacement of the StatefulSet six. */
const mostPasses = 20

/** Runs the loop until nothing is left to do. Pure. */
export function carryOut (start: Observed, policy: Policy): Rehearsed {
  let observed: Observed = { ...start, server: readDittoServer(start.object).server }
  const steps: Step[] = []
  for (let pass = 1; pass <= mostPasses; pass++) {
    const planned = plan(observed, policy)
    // Objects that the loop would read by name do not exist here.
    const asked = withKnown(observed, planned.asks.map(reference => [reference, { state: 'absent' }] as const))
    if (planned.steps.length === 0 && planned.asks.length === 0) return { observed, steps, stop: planned.stop }
    steps.push(...planned.steps)
    observed = planned.steps.reduce(answer, asked)
  }
  throw new Error('the reconcile loop does not come to an end')
}

/** The objects of a server that has been running for a while. */
export async function runningServer (
  before: Readonly<Record<string, unknown>>, namespace: string, around: Surroundings,
): Promise<Observed> {
  const metadata = isObject(before.metadata) ? before.metadata : {}
  const object = {
    ...before, metadata: { ...metadata, namespace, uid: 'server', resourceVersion: '1', generation: 1, finalizers: [finalizer] },
  } as unknown as KubernetesObject
  const { server } = readDittoServer(object)
  const { name } = server.metadata
  const secrets = new Map<string, SecretAsRead>()
  const objects = new Map<string, Known>()
  for (const reference of referencesOf(name)) objects.set(referenceKey(reference), { state: 'absent' })
  for (const secret of secretNames(server)) {
    const found = await around.read('Secret', namespace, secret)
    objects.set(referenceKey({ kind: 'Secret', name: secret }), found ? { state: 'present', object: cachedForm('Secret', found) } : { state: 'absent' })
    if (found) secrets.set(secret, { data: (found.data ?? {}) as Readonly<Record<string, string>>, version: 'given' })
  }
  const crd = server.spec.percona.enabled ? await around.read('CustomResourceDefinition', '', percona.crdName) : undefined
  const { observed } = carryOut({
    object,
    server,
    objects,
    secrets: { state: 'read', secrets },
    perconaServed: crd !== undefined,
    perconaOperator: crd && versionOnCrd(crd),
    newSigningKey: newSigningKey(),
  }, around.policy)
  return started(observed)
}

function referencesOf (name: string): Reference[] {
  const { configMap, statefulSet, perconaCluster, jwtSecret, postgresEnvSecret, perconaUserSecret: _, ...services } = childNames(name)
  const all = (kind: KindName, names: readonly string[]) => names.map(each => ({ kind, name: each }))
  return [
    ...all('ConfigMap', [configMap]), ...all('Service', Object.values(services)), ...all('StatefulSet', [statefulSet]),
    ...all('PerconaPGCluster', [perconaCluster]), ...all('Secret', [jwtSecret, postgresEnvSecret]),
    ...all('PersistentVolumeClaim', claimNames(name)), ...all('Pod', [podName(name)]),
  ]
}

/** The claims are bound, and the pod runs. */
function started (observed: Observed): Observed {
  const { name } = observed.server.metadata
  const statefulSet = present(observed, 'StatefulSet', name)
  const { template } = (statefulSet?.spec ?? {}) as { template?: Pick<KubernetesObject, 'metadata'> }
  const claims = (templatesOf(statefulSet) ?? []).map((each): readonly [Reference, Known] => {
    const claim = claimName(each.metadata.name, name)
    return [{ kind: 'PersistentVolumeClaim', name: claim }, { state: 'present', object: bound(each, claim) }]
  })
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { ...template?.metadata, name: podName(name), uid: 'pod' } }
  const known = withKnown(observed, claims)
  return statefulSet ? withKnown(known, [[{ kind: 'Pod', name: podName(name) }, { state: 'present', object: pod }]]) : known
}

const bound = ({ spec }: Claim, name: string): KubernetesObject => ({
  apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name, uid: name }, spec, status: { phase: 'Bound', capacity: spec?.resources?.requests },
})

/** The observation after a step. */
function answer (observed: Observed, step: Step): Observed {
  const { kind, name } = step
  const current = present(observed, kind, name)
  const put = (object: KubernetesObject) => observedWith(observed, kind, name, object)
  switch (step.do) {
    case 'rehearse': return observed
    case 'delete': return withKnown(observed, [[{ kind, name }, { state: 'absent' }]])
    case 'create': return put(stored(step.object, { uid: `${kind}-${name}-${(current?.metadata.generation ?? 0) + 1}` }))
    case 'apply': return put(stored(step.object, { uid: step.uid, generation: current?.metadata.generation }, current?.status))
    case 'patch': return current ? put(answered(kind, merge(current, step.patch) as KubernetesObject)) : observed
  }
}

function observedWith (observed: Observed, kind: KindName, name: string, object: KubernetesObject): Observed {
  if (kind === 'DittoServer') return { ...observed, object, server: readDittoServer(object).server }
  const next = withKnown(observed, [[{ kind, name }, { state: 'present', object: cachedForm(kind, object) }]])
  if (kind !== 'Secret' || next.secrets.state !== 'read') return next
  return { ...next, secrets: { state: 'read', secrets: new Map([...next.secrets.secrets, [name, asRead(object)]]) } }
}

const asRead = ({ data, stringData }: KubernetesObject): SecretAsRead => ({
  version: 'written',
  data: {
    ...data as Readonly<Record<string, string>> | undefined,
    ...Object.fromEntries(Object.entries(isObject(stringData) ? stringData : {}).map(([key, value]) => [key, Buffer.from(String(value)).toString('base64')])),
  },
})

function stored (object: KubernetesObject, metadata: { uid: string, generation?: number | undefined }, status?: unknown): KubernetesObject {
  const generation = (metadata.generation ?? 0) + 1
  return answered(object.kind, { ...object, metadata: { ...object.metadata, uid: metadata.uid, resourceVersion: '1', generation }, ...(status === undefined ? {} : { status }) })
}

/** What the controllers of Kubernetes and of Percona make of an object. */
function answered (kind: string, object: KubernetesObject): KubernetesObject {
  const { generation = 1 } = object.metadata
  const { replicas = 1 } = (object.spec ?? {}) as { replicas?: number }
  if (kind === kinds.StatefulSet.kind) return { ...object, status: { replicas, observedGeneration: generation } }
  if (kind === percona.kind) return { ...object, status: { state: 'ready' } }
  if (kind === kinds.PersistentVolumeClaim.kind) return bound(object as unknown as Claim, object.metadata.name)
  return object
}

/** https://www.rfc-editor.org/rfc/rfc7386 */
function merge (target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch
  const result = new Map(Object.entries(isObject(target) ? target : {}))
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) result.delete(key)
    else if (value !== undefined) result.set(key, merge(result.get(key), value))
  }
  return Object.fromEntries(result)
}
