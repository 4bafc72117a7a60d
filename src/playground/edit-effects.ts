import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { comparison, toStored } from '../dittoserver/dittoserver.ts'
import { objectSchema } from '../dittoserver/object-schema.ts'
import { isObject, type StructuralSchema } from '../dittoserver/structural.ts'
import { changes } from '../manifests/crd.ts'
import type { Finding } from '../rules/finding.ts'
import type { Effects, EffectStep, FieldEffect } from './contract.ts'
import { effectsOf } from './effects-of-steps.ts'
import { carryOut, runningServer } from './rehearsal.ts'
import type { Surroundings } from './surroundings.ts'

export interface Edit {
  /** The running server, with its defaults. */
  readonly before: Readonly<Record<string, unknown>>
  readonly after: KubernetesObject
  readonly namespace: string
  /** Why admission refuses the edit. */
  readonly errors: readonly (Finding & { readonly message: string })[]
}

/** What an edit of a running server changes: field by field, and what the reconcile loop would do with its objects. */
export async function editEffects ({ before, after, namespace, errors }: Edit, around: Surroundings): Promise<Effects> {
  const fields = fieldEffects(before, after)
  if (errors.length > 0) {
    const steps = errors.map(({ field, message }): EffectStep => ({ effect: 'refuse', what: field, detail: message }))
    return { summary: 'The edit is refused. The server keeps running unchanged.', fields, steps }
  }
  const running = await runningServer(before, namespace, around)
  const edited = carryOut({ ...running, ...asEdited(running.object, after) }, around.policy)
  const steps = effectsOf(running, edited)
  return { summary: summaryOf(steps, fields), fields, steps }
}

function asEdited (running: KubernetesObject, after: KubernetesObject) {
  const { generation = 1 } = running.metadata
  const metadata = { ...running.metadata, annotations: after.metadata.annotations ?? {}, generation: generation + 1 }
  return { object: { ...running, spec: after.spec, metadata } }
}

function summaryOf (steps: readonly EffectStep[], fields: readonly FieldEffect[]): string {
  const count = (effect: EffectStep['effect']) => steps.filter(step => step.effect === effect).length
  if (count('refuse') > 0) return 'The operator refuses the edit. The server keeps running unchanged.'
  const grown = count('grow')
  const replaced = [...new Set(steps.filter(({ effect }) => effect === 'replace').map(({ what }) => what.split(' ')[0]))]
  const parts = [
    ...(count('restart') > 0 ? ['restarts the pod'] : []),
    ...(count('stop') > 0 ? ['stops the server'] : []),
    ...(count('start') > 0 ? ['starts the server'] : []),
    ...(grown > 0 ? [`grows ${grown} ${grown === 1 ? 'volume' : 'volumes'}`] : []),
    ...(replaced.length > 0 ? [`replaces the ${replaced.join(' and the ')}`] : []),
  ]
  const calm = count('restart') + count('stop') === 0
  if (parts.length === 0) {
    if (steps.length > 0) return 'The edit takes effect while the server keeps running.'
    return fields.length > 0 ? 'The edit is stored, and changes nothing else.' : 'Nothing changes.'
  }
  const sentence = `The edit ${parts.length > 1 ? `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}` : parts[0]}.`
  return calm && count('start') === 0 ? `${sentence} The server keeps running.` : sentence
}

/** Every field of the spec that differs, with the effect that the schema declares. */
function fieldEffects (before: unknown, after: unknown): FieldEffect[] {
  const changed = comparison.changedPaths(after, before)
  const leaves = [...changed].filter(path => path.startsWith('spec.') && ![...changed].some(other => other.startsWith(`${path}.`)))
  const [old, now] = [toStored(before), toStored(after)]
  return leaves.map(field => ({ field, before: shown(valueAt(old, field)), after: shown(valueAt(now, field)), effect: changes[changeOf(field)] ?? '' }))
}

function changeOf (path: string): string {
  let [node, change]: [StructuralSchema | undefined, string] = [objectSchema, '']
  for (const key of path.split('.')) {
    node = node?.properties?.[key]
    change = node?.change ?? change
  }
  return change
}

const valueAt = (object: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((value, key) => isObject(value) ? value[key] : undefined, object)

const shown = (value: unknown): string =>
  value === undefined ? 'not set' : typeof value === 'string' ? value === '' ? '""' : value : JSON.stringify(value)
