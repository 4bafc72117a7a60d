import { parseQuantity } from '../../../src/dittoserver/quantity.ts'
import { finalizersOf, isDeleted } from '../model/deletion.ts'
import { modelKinds } from '../model/kinds.ts'
import { protectionFinalizer } from '../model/kinds/persistent-volume-claim.ts'
import { metadataOf } from '../model/metadata.ts'
import { at, type Tree } from '../model/tree.ts'
import { Looker, type ControllerContext, type ModelController } from './controller.ts'

const { persistentVolumeClaim: claims, storageClass, pod: pods } = modelKinds
const manager = 'kube-controller-manager'

const requested = (claim: unknown) => at(claim, 'spec', 'resources', 'requests', 'storage')
const capacity = (claim: unknown) => at(claim, 'status', 'capacity', 'storage')
const sizeOf = (quantity: unknown) => parseQuantity(String(quantity ?? '0')) ?? 0n

/** Binds claims, expands them step by step, and protects those that a pod uses. */
export function volumeController (context: ControllerContext): ModelController {
  const { cluster } = context
  const { api } = cluster

  const condition = (type: string) => ({ type, status: 'True', lastTransitionTime: new Date(1_700_000_000_000 + cluster.world.now).toISOString() })

  function bind (place: { kind: typeof claims, namespace: string, name: string }, claim: Tree): void {
    const className = at(claim, 'spec', 'storageClassName')
    if (className === undefined || !cluster.find(storageClass, '', String(className))) return
    api.patch(place, { spec: { volumeName: `pv-${place.name}` } }, { manager })
    api.patch(place, { status: { phase: 'Bound', capacity: { storage: requested(claim) }, accessModes: ['ReadWriteOnce'] } }, { manager, subresource: 'status' })
  }

  /** One step of resizing: the volume first, then its file system, which needs a pod. */
  function grow (place: { kind: typeof claims, namespace: string, name: string }, claim: Tree): void {
    const types = (at(claim, 'status', 'conditions') as Tree[] | undefined ?? []).map(({ type }) => type)
    const status = (change: Tree) => { api.patch(place, { status: change }, { manager, subresource: 'status' }) }
    if (!types.includes('Resizing') && !types.includes('FileSystemResizePending')) status({ conditions: [condition('Resizing')] })
    else if (types.includes('Resizing')) status({ conditions: [condition('FileSystemResizePending')] })
    else if (cluster.find(pods, place.namespace, place.name.replace(/^[a-z]+-/, ''))) status({ conditions: null, capacity: { storage: requested(claim) } })
  }

  const looker = new Looker('volume-controller', context, key => {
    const [namespace = '', name = ''] = key.split('/')
    const place = { kind: claims, namespace, name }
    const claim = cluster.find(claims, namespace, name)
    if (!claim) return
    if (isDeleted(claim)) {
      const used = cluster.find(pods, namespace, name.replace(/^[a-z]+-/, ''))
      const finalizers = finalizersOf(claim).filter(entry => entry !== protectionFinalizer)
      if (!used) api.patch(place, { metadata: { finalizers } }, { manager })
    } else if (at(claim, 'status', 'phase') !== 'Bound') bind(place, claim)
    else if (sizeOf(requested(claim)) > sizeOf(capacity(claim))) grow(place, claim)
  })

  return {
    onChange: ({ kind, object }) => {
      const { namespace, name } = metadataOf(object)
      if (kind === claims) looker.add(`${String(namespace)}/${String(name)}`)
      else if (kind === storageClass) for (const claim of cluster.list(claims)) looker.add(`${String(metadataOf(claim).namespace)}/${String(metadataOf(claim).name)}`)
      else if (kind === pods) {
        for (const claim of cluster.list(claims)) {
          const claimName = String(metadataOf(claim).name)
          if (metadataOf(claim).namespace === namespace && claimName.endsWith(`-${String(name)}`)) looker.add(`${String(namespace)}/${claimName}`)
        }
      }
    },
    isIdle: () => looker.isIdle,
  }
}
