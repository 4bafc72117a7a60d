import { createHash } from 'node:crypto'
import { isDeleted } from '../model/deletion.ts'
import { modelKinds } from '../model/kinds.ts'
import { metadataOf } from '../model/metadata.ts'
import { at, isEqual, isTree, type Tree } from '../model/tree.ts'
import { Looker, type ControllerContext, type ModelController } from './controller.ts'
import { ownersOf } from './garbage-collector.ts'

const { statefulSet, pod: pods, persistentVolumeClaim: claims } = modelKinds
const manager = 'kube-controller-manager'
const revisionLabel = 'controller-revision-hash'

const list = (value: unknown): Tree[] => Array.isArray(value) ? value.filter(isTree) : []
const isReady = (pod: unknown) => list(at(pod, 'status', 'conditions')).some(({ type, status }) => type === 'Ready' && status === 'True')

const controllerReference = (set: Tree): Tree =>
  ({ apiVersion: 'apps/v1', kind: 'StatefulSet', name: metadataOf(set).name, uid: metadataOf(set).uid, controller: true, blockOwnerDeletion: true })

/** Pods and claims of StatefulSets of one replica at most. https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/ */
export function statefulSetController (context: ControllerContext): ModelController {
  const { cluster } = context
  const { api } = cluster

  function makeClaims (set: Tree, namespace: string): void {
    for (const template of list(at(set, 'spec', 'volumeClaimTemplates'))) {
      const name = `${String(metadataOf(template).name)}-${String(metadataOf(set).name)}-0`
      if (cluster.find(claims, namespace, name)) continue
      const labels = { ...metadataOf(template).labels as Tree | undefined, ...at(set, 'spec', 'selector', 'matchLabels') as Tree }
      const { status, ...claim } = template
      api.create({ kind: claims, namespace, name }, { ...claim, apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { ...metadataOf(template), name, labels } }, { manager })
    }
  }

  function makePod (set: Tree, namespace: string, revision: string): void {
    const name = `${String(metadataOf(set).name)}-0`
    const template = at(set, 'spec', 'template') as Tree
    const labels = { ...metadataOf(template).labels as Tree, [revisionLabel]: revision }
    api.create({ kind: pods, namespace, name }, {
      apiVersion: 'v1', kind: 'Pod', metadata: { ...metadataOf(template), name, labels, ownerReferences: [controllerReference(set)] }, spec: template.spec,
    }, { manager })
  }

  /** An orphan that fits is taken in. */
  function adopt (set: Tree, pod: Tree, namespace: string): void {
    const selector = at(set, 'spec', 'selector', 'matchLabels')
    const fits = isTree(selector) && Object.entries(selector).every(([key, value]) => at(pod, 'metadata', 'labels', key) === value)
    if (ownersOf(pod).length > 0 || !fits) return
    const ownerReferences = [controllerReference(set)]
    api.patch({ kind: pods, namespace, name: String(metadataOf(pod).name) }, { metadata: { ownerReferences } }, { manager })
  }

  /** True: the pod of today is the one to have, or there is none to have. */
  function replacePod (set: Tree, namespace: string, revision: string): void {
    const place = { kind: pods, namespace, name: `${String(metadataOf(set).name)}-0` }
    const pod = cluster.find(pods, namespace, place.name)
    const wanted = Number(at(set, 'spec', 'replicas') ?? 1) > 0
    if (!pod) {
      if (wanted) makePod(set, namespace, revision)
      return
    }
    adopt(set, pod, namespace)
    if (!ownersOf(pod).some(({ uid }) => uid === metadataOf(set).uid)) return
    const isOld = at(pod, 'metadata', 'labels', revisionLabel) !== revision
    // A pod that never became ready is not replaced with the policy OrderedReady.
    const isStuck = !isReady(pod) && at(set, 'spec', 'podManagementPolicy') === 'OrderedReady'
    if (!wanted || (isOld && !isStuck)) api.remove(place, { propagationPolicy: 'Background' })
  }

  /**
   * For some StatefulSets, the first count happens before the controller knows that the previous StatefulSet has released the pod: it tries
   * to create the pod, which exists, and writes a status without it. The uid decides this, like all random decisions that no fault depends
   * on.
   */
  const overlooksPod = (set: Tree) =>
    at(set, 'status', 'observedGeneration') === undefined && createHash('sha256').update(String(metadataOf(set).uid)).digest().readUInt8() % 2 === 0

  function writeStatus (set: Tree, namespace: string, revision: string, pod: Tree | undefined): void {
    const name = String(metadataOf(set).name)
    const own = pod && ownersOf(pod).some(({ uid }) => uid === metadataOf(set).uid) ? pod : undefined
    const podRevision = own && String(at(own, 'metadata', 'labels', revisionLabel))
    const known = at(set, 'status', 'currentRevision')
    const count = own ? 1 : 0
    const ready = own && isReady(own) ? 1 : 0
    const isCurrent = podRevision === revision || !own
    const status = {
      observedGeneration: metadataOf(set).generation,
      collisionCount: 0,
      replicas: count,
      availableReplicas: ready,
      readyReplicas: ready || null,
      currentReplicas: count || null,
      updatedReplicas: own && podRevision === revision ? 1 : null,
      updateRevision: revision,
      currentRevision: isCurrent ? revision : podRevision ?? known ?? revision,
    }
    const before = at(set, 'status')
    const isSame = ([key, value]: [string, unknown]) =>
      isEqual(at(before, key) ?? null, value === 0 && at(before, key) === undefined ? null : value)
    if (!Object.entries(status).every(isSame)) {
      api.patch({ kind: statefulSet, namespace, name }, { status }, { manager, subresource: 'status' })
    }
  }

  const looker = new Looker('statefulset-controller', context, key => {
    const [namespace = '', name = ''] = key.split('/')
    const set = cluster.find(statefulSet, namespace, name)
    if (!set || isDeleted(set)) return
    const template = JSON.stringify(at(set, 'spec', 'template'))
    const revision = `${name}-${createHash('sha256').update(template).digest('hex').slice(0, 10)}`
    makeClaims(set, namespace)
    if (overlooksPod(set)) {
      writeStatus(set, namespace, revision, undefined)
      return looker.add(key, 1_000)
    }
    replacePod(set, namespace, revision)
    writeStatus(set, namespace, revision, cluster.find(pods, namespace, `${name}-0`))
  })

  return {
    onChange: ({ kind, object }) => {
      const { namespace, name } = metadataOf(object)
      if (kind === statefulSet) looker.add(`${String(namespace)}/${String(name)}`)
      else if (kind === pods) looker.add(`${String(namespace)}/${String(name).replace(/-0$/, '')}`)
      else if (kind === claims) {
        const instance = at(object, 'metadata', 'labels', 'instance')
        if (instance !== undefined) looker.add(`${String(namespace)}/${String(instance)}`)
      }
    },
    isIdle: () => looker.isIdle,
  }
}
