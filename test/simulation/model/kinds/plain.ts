import type { ModelKind } from '../kind.ts'
import { shapeOf, type ShapeTable } from '../shape.ts'
import { isTree, withLeaf, type Tree } from '../tree.ts'

// Kinds with little logic in the API server.

type Given = Pick<ModelKind, 'group' | 'resource' | 'kind'> & Partial<ModelKind> & { readonly table?: ShapeTable }

const plain = ({ table = {}, ...given }: Given): ModelKind => {
  const { group, version = 'v1' } = given
  return {
    version, apiVersion: group === '' ? version : `${group}/${version}`, namespaced: true, status: false, generation: false, empty: { metadata: {} }, shape: shapeOf(table), ...given,
  }
}

/** An empty map is none: Go leaves it out. */
const withoutEmpty = (object: Tree, key: string): Tree =>
  isTree(object[key]) && Object.keys(object[key]).length === 0 ? withLeaf(object, [key], undefined) : object

export const configMap = plain({
  group: '', resource: 'configmaps', kind: 'ConfigMap', table: { data: 'map', binaryData: 'map' }, defaults: object => withoutEmpty(object, 'data'),
})

export const secret = plain({
  group: '',
  resource: 'secrets',
  kind: 'Secret',
  table: { data: 'map', stringData: 'map' },
  defaults: ({ stringData, ...object }: Tree) => {
    const written = Object.entries(isTree(stringData) ? stringData : {}).map(([key, value]) => [key, Buffer.from(String(value)).toString('base64')])
    const data = { ...(isTree(object.data) ? object.data : {}), ...Object.fromEntries(written) as Tree }
    return withoutEmpty({ type: 'Opaque', ...object, data }, 'data')
  },
})

export const lease = plain({ group: 'coordination.k8s.io', resource: 'leases', kind: 'Lease', createsOnUpdate: true, empty: { metadata: {}, spec: {} } })
export const event = plain({ group: 'events.k8s.io', resource: 'events', kind: 'Event', empty: { metadata: {}, regarding: {} } })
export const pod = plain({ group: '', resource: 'pods', kind: 'Pod', status: true, empty: { metadata: {}, spec: { containers: null }, status: {} } })
export const storageClass = plain({ group: 'storage.k8s.io', resource: 'storageclasses', kind: 'StorageClass', namespaced: false, table: { parameters: 'map' } })
export const customResourceDefinition = plain({
  group: 'apiextensions.k8s.io', resource: 'customresourcedefinitions', kind: 'CustomResourceDefinition', namespaced: false, status: true, generation: true,
})
