import type { KubernetesObject } from '../../src/cluster/kubernetes-object.ts'
import { resourcePath } from '../../src/cluster/resource-path.ts'
import { readDittoServer } from '../../src/dittoserver/dittoserver.ts'
import { renderOffline } from '../../src/render/offline.ts'
import type { ModelKind } from './model/kind.ts'
import { allKinds, modelKinds } from './model/kinds.ts'
import { at, isTree, withLeaf, type Tree } from './model/tree.ts'
import type { Chance } from './random.ts'

// Histories of writes, to be played to the model and to the real API server.

export interface HistoryRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly contentType?: string
  readonly body?: unknown
}

/** One write on one side: uids and versions are those of that side. `object` is the current state on that side. */
export interface HistoryStep {
  readonly says: string
  readonly kind: ModelKind
  /** Of the object itself. */
  readonly path: string
  readonly request: (object: Tree | undefined) => HistoryRequest
}

const namespace = 'default'
const json = 'application/json'
const merge = 'application/merge-patch+json'
const apply = 'application/apply-patch+yaml'

const pathOf = (kind: ModelKind, name?: string, subresource?: string) =>
  resourcePath(kind, { namespace, ...(name === undefined ? {} : { name }), ...(subresource ? { subresource } : {}) })

const specs: readonly Tree[] = [
  {},
  { storage: { metadataSize: '1024Mi', contentSize: '2Gi' }, metrics: { enabled: true } },
  { storage: { metadataSize: '10Gi' }, smb: { enabled: true }, service: { type: 'NodePort', annotations: { 'example.com/pool': 'a' } }, image: 'example.com/dittofs:1.2' },
  { storage: { metadataSize: '10Gi' }, resources: { limits: { cpu: '1000m', memory: '1024Mi' } }, nfsPort: 2049, controlPlane: { port: 8081 } },
  { storage: { metadataSize: '10Gi' }, service: { type: 'LoadBalancer' }, replicas: 0, podSecurityContext: { fsGroup: 2000 } },
  { storage: { metadataSize: '10Gi' }, percona: { enabled: true, replicas: 2, storageSize: '10240Mi' }, metrics: { enabled: true, port: 9191 } },
  { storage: { metadataSize: '10Gi' }, resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } },
  {
    storage: { metadataSize: '10Gi' },
    percona: { enabled: true, backup: { enabled: true, bucket: 'b', endpoint: 'https://s3.example.com', credentialsSecretRef: { name: 'c' } } },
  },
]

const kindOf = (object: KubernetesObject): ModelKind => {
  const found = allKinds.find(({ kind }) => kind === object.kind)
  if (!found) throw new Error(`no model of ${object.kind}`)
  return found
}

/** Objects by kind and name, each in several forms. */
export type Forms = ReadonlyMap<string, readonly KubernetesObject[]>

/** Everything that the operator renders for servers of one name, in several forms of each object. */
export async function renderedForms (name: string): Promise<Forms> {
  const forms = new Map<string, KubernetesObject[]>()
  for (const spec of specs) {
    const { server } = readDittoServer({ metadata: { name, namespace, generation: 1 }, spec: { storage: { metadataSize: '10Gi' }, ...spec } })
    for (const object of await renderOffline(server, async () => undefined)) {
      const key = `${object.kind} ${object.metadata.name}`
      forms.set(key, [...(forms.get(key) ?? []), object])
    }
  }
  return forms
}

const dittoServer = (name: string, spec: Tree): Tree =>
  ({ apiVersion: modelKinds.dittoServer.apiVersion, kind: 'DittoServer', metadata: { name }, spec: { storage: { metadataSize: '10Gi' }, ...spec } })

/** Changes of fields by users and other programs, by kind. */
const edits: Readonly<Record<string, readonly Tree[]>> = {
  StatefulSet: [
    { spec: { replicas: 3 } }, { spec: { serviceName: 'other' } }, { spec: { template: { spec: { terminationGracePeriodSeconds: 7 } } } },
    { spec: { template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': 'now' } } } } }, { spec: { podManagementPolicy: 'Parallel' } },
    { spec: { template: { spec: { containers: null } } } }, { spec: { minReadySeconds: 3 } }, { spec: { template: { spec: { nodeSelector: { disk: 'fast' } } } } },
  ],
  Service: [
    { spec: { type: 'NodePort' } }, { spec: { type: 'ClusterIP' } }, { spec: { clusterIP: '10.96.200.200' } }, { spec: { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 5 } } } },
    { spec: { selector: { app: 'other' } } }, { spec: { type: 'LoadBalancer' } }, { spec: { type: 'ClusterIP', ports: [{ name: 'nfs', port: 1 }, { name: 'nfs', port: 2 }] } },
    { spec: { ports: [{ name: 'more', port: 77, targetPort: 'nfs' }] } }, { spec: { publishNotReadyAddresses: true } }, { spec: { ports: [] } },
  ],
  ConfigMap: [{ data: { 'config.yaml': 'mine' } }, { data: { more: 'x' } }, { data: null }, { data: { 'config.yaml': null } }],
  Secret: [{ stringData: { 'jwt-secret': 'another' } }, { data: { more: 'eA==' } }, { data: { 'jwt-secret': null } }],
  PersistentVolumeClaim: [
    ...['5Gi', '20Gi', '10240Mi', '30Gi'].map(storage => ({ spec: { resources: { requests: { storage } } } })), { spec: { volumeName: 'pv' } }, { spec: { storageClassName: 'other' } },
  ],
  PerconaPGCluster: [
    { spec: { instances: [{ name: 'instance1', replicas: 3, dataVolumeClaimSpec: { resources: { requests: { storage: '20Gi' } } } }] } }, { spec: { postgresVersion: 17 } },
    { spec: { users: [{ name: 'dittofs', databases: ['dittofs'] }, { name: 'other' }] } }, { spec: { pause: true } }, { spec: { backups: { enabled: false, extra: { a: { b: 1 } } } } },
  ],
  DittoServer: [
    { spec: { nfsPort: 2049 } }, { spec: { replicas: 0 } }, { spec: { smb: { enabled: true } } }, { spec: { nfsPort: 99_999 } },
    { spec: { image: null } },
    { spec: { storage: { metadataSize: '20Gi' } } }, { spec: { service: { annotations: { a: 'b' } } } },
  ],
}

const metadataEdits: readonly Tree[] = [
  { metadata: { labels: { mine: 'yes' } } }, { metadata: { labels: { 'app.kubernetes.io/name': null } } }, { metadata: { annotations: { note: 'x' } } },
  { metadata: { annotations: { 'bad key': 'x' } } }, { metadata: { labels: { mine: 'not a label' } } }, { metadata: { finalizers: ['example.com/hold'] } }, { metadata: { finalizers: null } },
  { metadata: { labels: null } }, { metadata: { managedFields: [{}] } }, { metadata: { annotations: null } },
]

const statuses: Readonly<Record<string, readonly Tree[]>> = {
  StatefulSet: [{ status: { replicas: 1, readyReplicas: 1, observedGeneration: 1 } }, { status: { replicas: 0, readyReplicas: 0 } }],
  PersistentVolumeClaim: [
    { status: { phase: 'Bound', capacity: { storage: '10Gi' }, accessModes: ['ReadWriteOnce'] } }, { status: { capacity: { storage: '20Gi' } } },
  ],
  PerconaPGCluster: [{ status: { state: 'ready', host: 'h' } }, { status: { state: 'initializing' } }, { status: null }],
  DittoServer: [{ status: { phase: 'Running', observedGeneration: 1 } }, { status: { phase: 'Pending', replicas: 1 } }],
}

const claims = (name: string): Tree[] => [undefined, 'grows', 'stays', ''].map(storageClassName => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name, labels: { app: 'dittofs-server' } },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Gi' } }, ...(storageClassName === undefined ? {} : { storageClassName }) },
}))

/** To be there before any history: claims are of these classes. */
export const storageClasses: readonly Tree[] = [['grows', true], ['stays', false]].map(([name, allowVolumeExpansion]) =>
  ({ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name }, provisioner: 'example.com/none', allowVolumeExpansion }))

const leases = (name: string): Tree[] => ['a', 'b', ''].map(holderIdentity =>
  ({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name }, spec: { holderIdentity, leaseDurationSeconds: 15, renewTime: '2026-01-01T00:00:00.000000Z' } }))

const managers = ['dittofs-operator', 'kubectl-edit', 'argocd-controller'] as const

/** A random number of writes to one object. */
export function history (chance: Chance, name: string, forms: Forms, length: number): HistoryStep[] {
  const others: Readonly<Record<string, () => readonly Tree[]>> = {
    DittoServer: () => specs.map(spec => dittoServer(name, spec)), PersistentVolumeClaim: () => claims(name), Lease: () => leases(name),
  }
  const key = chance.pick([...forms.keys(), ...Object.keys(others)])
  const variants = others[key]?.() ?? (forms.get(key) ?? []) as unknown as readonly Tree[]
  const kind = kindOf(variants[0] as unknown as KubernetesObject)
  const objectName = String(at(variants[0], 'metadata', 'name'))
  return Array.from({ length }, () => step(chance, { kind, name: objectName, variants }))
}

interface Subject { readonly kind: ModelKind, readonly name: string, readonly variants: readonly Tree[] }

function step (chance: Chance, subject: Subject): HistoryStep {
  const { kind, name } = subject
  if (kind === modelKinds.lease) return { ...leaseWrite(chance, subject), kind, path: pathOf(kind, name) }
  const drawn = chance.next()
  const [, make = deletion] = shares.find(([share]) => drawn < share) ?? []
  return { ...make(chance, subject), kind, path: pathOf(kind, name) }
}

/** Up to which share of all writes each sort goes; the rest are deletions. */
const shares = [[0.2, creation], [0.5, application], [0.75, edit], [0.85, statusWrite], [0.93, claim]] as const

type Drawn = Pick<HistoryStep, 'says' | 'request'>

/** An owner that may be there or not: the API server does not look. */
const withOwner = (object: Tree, uid: string): Tree => withLeaf(object, ['metadata', 'ownerReferences'], [
  { apiVersion: modelKinds.dittoServer.apiVersion, kind: 'DittoServer', name: 'owner', uid, controller: true, blockOwnerDeletion: true },
])

/** As in leader election: conditional on the version that was read. */
function leaseWrite (chance: Chance, subject: Subject): Drawn {
  const { kind, name, variants } = subject
  const drawn = chance.next()
  if (drawn < 0.15) return deletion(chance, subject)
  const lease = chance.pick(variants)
  if (drawn < 0.4) return { says: 'create', request: () => ({ method: 'POST', path: pathOf(kind), contentType: json, body: lease }) }
  const stale = chance.happens(0.3)
  return {
    says: `update${stale ? ', too late' : ''}`,
    request: object => {
      const metadata = { ...(isTree(object?.metadata) ? object.metadata : { name, uid: '00000000-0000-4000-8000-0000000000ff', resourceVersion: '1' }) }
      return { method: 'PUT', path: pathOf(kind, name), contentType: json, body: { ...lease, metadata: { ...metadata, ...(stale ? { resourceVersion: '1' } : {}) } } }
    },
  }
}

function creation (chance: Chance, { kind, variants }: Subject): Drawn {
  const object = withOwner(chance.pick(variants), '00000000-0000-4000-8000-00000000000a')
  const manager = chance.pick(managers)
  return { says: `create by ${manager}`, request: () => ({ method: 'POST', path: pathOf(kind), query: { fieldManager: manager }, contentType: json, body: object }) }
}

function application (chance: Chance, { kind, name, variants }: Subject): Drawn {
  const manager = chance.pick(managers)
  const force = chance.happens(0.5)
  const owned = chance.happens(0.7)
  const extra = chance.happens(0.2) ? chance.pick([{ uid: 'own' }, { uid: 'wrong' }, { resourceVersion: 'own' }, { resourceVersion: '1' }] as const) : {}
  const picked = chance.pick(variants)
  const base = owned ? withOwner(picked, '00000000-0000-4000-8000-00000000000a') : picked
  const annotated = chance.happens(0.5) ? withLeaf(base, ['metadata', 'annotations', 'dittofs.dittofs.com/applied'], String(chance.int(1, 3))) : base
  return {
    says: `apply by ${manager}${force ? ', forced' : ''} ${JSON.stringify(extra)}`,
    request: object => {
      const own = (key: 'uid' | 'resourceVersion') => {
        const wanted = (extra as Partial<Record<string, string>>)[key]
        return wanted === undefined ? undefined : wanted === 'own' ? at(object, 'metadata', key) : wanted === 'wrong' ? '00000000-0000-4000-8000-0000000000ff' : wanted
      }
      const identified = withLeaf(withLeaf(annotated, ['metadata', 'uid'], own('uid')), ['metadata', 'resourceVersion'], own('resourceVersion'))
      return { method: 'PATCH', path: pathOf(kind, name), query: { fieldManager: manager, force: String(force) }, contentType: apply, body: identified }
    },
  }
}

function edit (chance: Chance, { kind, name }: Subject): Drawn {
  const change = chance.pick(chance.happens(0.6) ? edits[kind.kind] ?? metadataEdits : metadataEdits)
  const manager = chance.pick(managers)
  const versioned = chance.happens(0.2) ? chance.pick(['own', '1']) : undefined
  return {
    says: `patch by ${manager}: ${JSON.stringify(change)} ${versioned ?? ''}`,
    request: object => ({
      method: 'PATCH',
      path: pathOf(kind, name),
      query: { fieldManager: manager },
      contentType: merge,
      body: versioned === undefined ? change : withLeaf(change, ['metadata', 'resourceVersion'], versioned === 'own' ? at(object, 'metadata', 'resourceVersion') : versioned),
    }),
  }
}

function statusWrite (chance: Chance, subject: Subject): Drawn {
  const { kind, name } = subject
  const choices = statuses[kind.kind]
  if (!choices) return edit(chance, subject)
  const change = chance.pick(choices)
  return { says: `status ${JSON.stringify(change)}`, request: () => ({ method: 'PATCH', path: pathOf(kind, name, 'status'), query: { fieldManager: 'someone' }, contentType: merge, body: change }) }
}

/** Fields of a create become fields of an apply, as in client-go's csaupgrade. */
function claim (_chance: Chance, { kind, name }: Subject): Drawn {
  return {
    says: 'fields of an update become those of an apply',
    request: object => {
      const entries = at(object, 'metadata', 'managedFields')
      const managedFields = (Array.isArray(entries) ? entries.filter(isTree) : []).filter(({ subresource }) => subresource === undefined)
        .map(entry => entry.manager === 'dittofs-operator' ? { ...entry, operation: 'Apply' } : entry)
      const ours = managedFields.filter(({ manager }) => manager === 'dittofs-operator')
      const others = managedFields.filter(({ manager }) => manager !== 'dittofs-operator')
      return {
        method: 'PATCH',
        path: pathOf(kind, name),
        query: { fieldManager: 'dittofs-operator' },
        contentType: merge,
        body: { metadata: { resourceVersion: at(object, 'metadata', 'resourceVersion'), managedFields: [...ours.slice(0, 1), ...others] } },
      }
    },
  }
}

function deletion (chance: Chance, { kind, name }: Subject): Drawn {
  const propagationPolicy = chance.pick(['Background', 'Foreground', 'Orphan'])
  const wrong = chance.pick(['', '', 'uid', 'resourceVersion'])
  return {
    says: `delete, ${propagationPolicy} ${wrong}`,
    request: object => ({
      method: 'DELETE',
      path: pathOf(kind, name),
      contentType: json,
      body: {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        propagationPolicy,
        preconditions: {
          ...(wrong === 'uid' ? { uid: '00000000-0000-4000-8000-0000000000ff' } : { uid: at(object, 'metadata', 'uid') }),
          ...(wrong === 'resourceVersion' ? { resourceVersion: '1' } : {}),
        },
      },
    }),
  }
}
