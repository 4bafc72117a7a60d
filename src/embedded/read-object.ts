import { kinds, type Kind } from '../cluster/kinds.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { isObject } from '../dittoserver/structural.ts'
import type { ReadObject } from '../render/offline.ts'
import { defaultNamespace, type Manifest } from './manifests.ts'

/** Reads objects from manifests as if they had been applied in turn: of two manifests of the same object the last one counts. */
export const readFrom = (manifests: () => readonly Manifest[]): ReadObject => async (kind, namespace, name) => {
  const { apiVersion, only }: Kind = kinds[kind]
  const found = manifests().findLast(manifest => manifest.kind === kind && manifest.apiVersion === apiVersion &&
    manifest.name === name && (only !== undefined || manifest.namespace === (namespace || defaultNamespace)))
  if (!found) return undefined
  const object = found.object as unknown as KubernetesObject
  return kind === 'Secret' ? { ...object, data: secretData(found.object) } : object
}

/** `stringData` overrides `data`, as when the API server merges them. */
function secretData ({ data, stringData }: Readonly<Record<string, unknown>>): Record<string, string> {
  const text = (value: unknown) => typeof value === 'string' ? value : ''
  const entries = (value: unknown) => Object.entries(isObject(value) ? value : {})
  return Object.fromEntries([
    ...entries(data).map(([key, value]) => [key, text(value)]),
    ...entries(stringData).map(([key, value]) => [key, Buffer.from(text(value)).toString('base64')]),
  ])
}
