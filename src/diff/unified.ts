import { createTwoFilesPatch } from 'diff'
import { stringify } from 'yaml'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { isObject } from '../dittoserver/structural.ts'

/** One object before and after an edit; undefined: it does not exist. */
export interface Pair { readonly before: KubernetesObject | undefined, readonly after: KubernetesObject | undefined }

/** Fields that the API server sets, and the copy of the manifest that kubectl keeps. */
const unset = ['managedFields', 'resourceVersion', 'uid', 'creationTimestamp', 'generation'] as const
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'

/** The difference of two states of an object as a unified diff of their YAML. Empty: they are equal. Pure. */
export function unifiedDiff ({ before, after }: Pair): string {
  const [old, current] = masked(before && withoutServerFields(before), after && withoutServerFields(after))
  const [oldText, text] = [textOf(old), textOf(current)]
  if (oldText === text) return ''
  const name = nameOf({ before, after })
  const patch = createTwoFilesPatch(`before/${name}`, `after/${name}`, oldText, text, undefined, undefined, { context: 3 })
  // Without the line of `=`, which only some programs expect.
  return patch.replace(/^=+\n/, '')
}

/** `StatefulSet/default/demo`. */
export function nameOf ({ before, after }: Pair): string {
  const { kind = '', metadata } = after ?? before ?? {}
  return [kind, metadata?.namespace, metadata?.name].filter(Boolean).join('/')
}

const textOf = (object: unknown) => object === undefined ? '' : stringify(object, { lineWidth: 0, aliasDuplicateObjects: false, sortMapEntries: true })

function withoutServerFields ({ status: _, ...object }: KubernetesObject): KubernetesObject {
  const metadata = Object.fromEntries(Object.entries(object.metadata).filter(([key]) => !unset.some(each => each === key)))
  const { [lastApplied]: __, ...annotations } = object.metadata.annotations ?? {}
  const { annotations: ___, ...rest } = metadata
  return { ...object, metadata: { ...rest, ...Object.keys(annotations).length > 0 ? { annotations } : {} } } as KubernetesObject
}

/** The values of Secrets are replaced by a mark that only says whether they differ, as `kubectl diff` does. */
function masked (before: KubernetesObject | undefined, after: KubernetesObject | undefined): [unknown, unknown] {
  if ((after ?? before)?.kind !== 'Secret') return [before, after]
  return [withMask(before, after, '*** (before)'), withMask(after, before, '*** (after)')]
}

function withMask (secret: KubernetesObject | undefined, other: KubernetesObject | undefined, mark: string): unknown {
  if (!secret) return undefined
  const hidden = (field: 'data' | 'stringData') => {
    const values = secret[field]
    if (!isObject(values)) return {}
    const others = other?.[field]
    const hide = (key: string, value: unknown) => isObject(others) && key in others && others[key] !== value ? mark : '***'
    return { [field]: Object.fromEntries(Object.entries(values).map(([key, value]) => [key, hide(key, value)])) }
  }
  return { ...secret, ...hidden('data'), ...hidden('stringData') }
}
