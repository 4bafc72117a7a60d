import { finalizer } from '../../src/dittoserver/api.ts'
import { fieldManager as manager, goObjects } from '../stories/go-operator.ts'
import type { Cluster } from './cluster.ts'
import { allKinds, modelKinds } from './model/kinds.ts'
import { metadataOf } from './model/metadata.ts'
import type { Tree } from './model/tree.ts'
import { dittoServer, goSpecs, namespace, type ServerName } from './servers.ts'

/** The objects of a server that the Go operator left when it was uninstalled. */
export function leaveBehind (cluster: Cluster, name: ServerName, index: number): void {
  const { api } = cluster
  const [spec] = goSpecs.slice(index)
  if (!spec) return
  const place = { kind: modelKinds.dittoServer, namespace, name }
  cluster.as('user', () => api.create(place, dittoServer(name, spec as unknown as Tree), { manager: 'user' }))
  cluster.as('go-operator', () => {
    const { body } = api.patch(place, { metadata: { finalizers: [finalizer] } }, { manager })
    for (const object of goObjects({ metadata: { name, uid: String(metadataOf(body).uid) }, spec }) as unknown as Tree[]) {
      const kind = allKinds.find(each => each.kind === object.kind)
      if (!kind || !api.isServed(kind)) continue
      const metadata: Tree = { ...metadataOf(object), namespace }
      api.create({ kind, namespace, name: String(metadata.name) }, { ...object, metadata }, { manager })
    }
    const status = { observedGeneration: 1, replicas: 1, phase: 'Pending', configHash: 'e60bdeeafb2369c8fe9e3c4fc1a21b5b', nfsEndpoint: `${name}-file.${namespace}.svc.cluster.local:12049` }
    api.patch(place, { status }, { manager, subresource: 'status' })
  })
}
