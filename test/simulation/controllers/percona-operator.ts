import { finalizersOf, isDeleted } from '../model/deletion.ts'
import { modelKinds } from '../model/kinds.ts'
import { metadataOf } from '../model/metadata.ts'
import { at, type Tree } from '../model/tree.ts'
import { ownersOf } from './garbage-collector.ts'
import { Looker, type ControllerContext, type ModelController } from './controller.ts'

const { perconaCluster: clusters, secret } = modelKinds
const manager = 'percona-operator'

const encode = (data: Readonly<Record<string, string>>) => Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))

/** How long a cluster takes until it is ready, by name. Infinity: it never is. */
export type Readiness = (name: string) => number

/** The Percona operator, as far as it can be seen from outside: states, and a Secret for each user. */
export function perconaOperator (context: ControllerContext, readiness: Readiness): ModelController {
  const { cluster } = context
  const { api } = cluster
  const since = new Map<unknown, number>()

  function makeUserSecret (object: Tree, namespace: string, name: string): void {
    const secretName = `${name}-pguser-dittofs`
    const { uid } = metadataOf(object)
    const ownerReferences = [{ apiVersion: clusters.apiVersion, kind: 'PerconaPGCluster', name, uid, controller: true, blockOwnerDeletion: true }]
    const existing = cluster.find(secret, namespace, secretName)
    if (existing) {
      // One that an earlier cluster left behind is taken over.
      const isOrphan = ownersOf(existing).length === 0 && !isDeleted(existing)
      if (isOrphan) api.patch({ kind: secret, namespace, name: secretName }, { metadata: { ownerReferences } }, { manager })
      return
    }
    api.create({ kind: secret, namespace, name: secretName }, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: secretName,
        ownerReferences,
      },
      data: encode({ host: `${name}-primary`, port: '5432', dbname: 'dittofs', user: 'dittofs', password: 'hush', uri: `postgres://dittofs:hush@${name}-primary/dittofs` }),
    }, { manager })
  }

  /** Everything that is deleted with the cluster is deleted. */
  function letGo (object: Tree, namespace: string, name: string): void {
    const [all, others] = [finalizersOf(object), finalizersOf(object).filter(entry => !entry.startsWith('percona.com/'))]
    if (others.length < all.length) api.patch({ kind: clusters, namespace, name }, { metadata: { finalizers: others } }, { manager })
  }

  const looker = new Looker('percona-operator', context, key => {
    const [namespace = '', name = ''] = key.split('/')
    const object = cluster.find(clusters, namespace, name)
    if (!object) return
    if (isDeleted(object)) return letGo(object, namespace, name)
    const { uid } = metadataOf(object)
    const state = at(object, 'status', 'state')
    const place = { kind: clusters, namespace, name }
    const began = since.get(uid) ?? cluster.world.now
    since.set(uid, began)
    const left = began + readiness(name) - cluster.world.now
    if (state === undefined) api.patch(place, { status: { state: 'initializing' } }, { manager, subresource: 'status' })
    makeUserSecret(object, namespace, name)
    if (left > 0) {
      if (left < Infinity) looker.add(key, left)
    } else if (state !== 'ready') api.patch(place, { status: { state: 'ready', host: `${name}-pgbouncer.${namespace}.svc` } }, { manager, subresource: 'status' })
  })

  return {
    onChange: ({ kind, type, object }) => {
      const { namespace, name, uid } = metadataOf(object)
      if (kind === clusters) {
        if (type === 'DELETED') since.delete(uid)
        looker.add(`${String(namespace)}/${String(name)}`)
      } else if (kind === secret && String(name).endsWith('-pguser-dittofs')) looker.add(`${String(namespace)}/${String(name).replace('-pguser-dittofs', '')}`)
    },
    isIdle: () => looker.isIdle,
  }
}
