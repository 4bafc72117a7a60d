import { kinds } from '../cluster/kinds.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { isObject } from '../dittoserver/structural.ts'
import type { ReadObject } from '../render/offline.ts'
import { defaultNamespace, nameOf, namespaceOf } from './embedded-cluster.ts'
import type { Manifest } from './manifests.ts'

/** Reads from manifests as if they had been applied in turn: of two of one object the later counts. */
export const readFrom = (manifests: () => readonly Manifest[]): ReadObject => async (kind, namespace, name) => {
  const { apiVersion } = kinds[kind]
  const found = manifests().findLast(manifest => manifest.kind === kind && manifest.apiVersion === apiVersion &&
    nameOf(manifest) === name && namespaceOf(manifest) === (namespace || defaultNamespace))
  if (!found) return undefined
  const object = found.object as unknown as KubernetesObject
  return kind === 'Secret' ? { ...object, data: secretData(found.object) } : object
}

/** `stringData` wins over `data`, as it does when the API server merges the two. */
function secretData ({ data, stringData }: Readonly<Record<string, unknown>>): Record<string, string> {
  const text = (value: unknown) => typeof value === 'string' ? value : ''
  const entries = (value: unknown) => Object.entries(isObject(value) ? value : {})
  return Object.fromEntries([
    ...entries(data).map(([key, value]) => [key, text(value)]),
    ...entries(stringData).map(([key, value]) => [key, Buffer.from(text(value)).toString('base64')]),
  ])
}
