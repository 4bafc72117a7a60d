import { stringify } from 'yaml'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { storedObject } from '../check/apply.ts'
import { isObject } from '../dittoserver/structural.ts'

/** A DittoServer of the cluster as a manifest to edit: what was applied, or else its whole spec. */
export function manifestOf (object: KubernetesObject): string {
  const { apiVersion, kind, metadata: { name, namespace } } = object
  const { original } = storedObject(object)
  const spec = isObject(original.spec) ? original.spec : object.spec
  const metadata = { name, ...(namespace === undefined ? {} : { namespace }) }
  return stringify({ apiVersion, kind, metadata, spec }, { lineWidth: 0, aliasDuplicateObjects: false })
}
