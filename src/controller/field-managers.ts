import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { fieldManager, kind as dittoServerKind } from '../dittoserver/api.ts'
import { isObject } from '../dittoserver/structural.ts'

/** https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management */
export interface ManagedFields {
  readonly manager?: string
  readonly operation?: string
  readonly apiVersion?: string
  readonly subresource?: string
  readonly fieldsType?: string
  readonly fieldsV1?: FieldSet
  readonly time?: string
}

/** `{ 'f:spec': { 'f:ports': { 'k:{"port":1}': { '.': {} } } } }` */
export interface FieldSet { readonly [step: string]: FieldSet }

/**
 * The field managers whose fields on our objects belong to us. The API server records the fields of a create (POST) as fields of an update.
 * Such fields would stay when we no longer apply them. https://pkg.go.dev/k8s.io/client-go/util/csaupgrade. The same is true for fields of
 * another operator that created the object for the same server. (For an entry without fields, the cache has already decided this.)
 */
const isAbsorbed = (object: KubernetesObject) => (entry: ManagedFields) => {
  const { manager, operation, subresource = '', fieldsV1 } = entry
  return operation === 'Update' && subresource === '' && (fieldsV1 === undefined || manager === fieldManager || isMaker(object, entry))
}

/**
 * The manager that created an object for a DittoServer has set its controller reference. Managers that change something later do not set
 * it.
 */
function isMaker ({ metadata: { ownerReferences = [] } }: KubernetesObject, { fieldsV1 }: ManagedFields): boolean {
  const owners = fieldsV1?.['f:metadata']?.['f:ownerReferences'] ?? {}
  return ownerReferences.some(({ kind, controller, uid }) =>
    kind === dittoServerKind && controller === true && owners[`k:${JSON.stringify({ uid })}`] !== undefined)
}

const isOurApply = ({ manager, operation, subresource = '' }: ManagedFields) =>
  operation === 'Apply' && subresource === '' && manager === fieldManager

const entriesOf = ({ metadata: { managedFields = [] } }: KubernetesObject) => managedFields as readonly ManagedFields[]

/** The managers whose fields must be absorbed; only the managers of the object must be known. Empty: nothing is left to absorb. */
export const managersToAbsorb = (object: KubernetesObject): readonly string[] =>
  [...new Set(entriesOf(object).filter(isAbsorbed(object)).map(({ manager = '' }) => manager))]

/**
 * The managed fields of an object after the absorbed entries are merged into our own apply entry. Undefined: there is nothing to absorb.
 */
export function absorb (object: KubernetesObject): ManagedFields[] | undefined {
  const entries = entriesOf(object)
  const absorbed = entries.filter(isAbsorbed(object))
  if (absorbed.length === 0) return undefined
  const ours = entries.filter(entry => absorbed.includes(entry) || isOurApply(entry))
  const { apiVersion = object.apiVersion, time } = ours.at(-1) ?? {}
  const union = ours.reduce<FieldSet>((all, { fieldsV1 = {} }) => merged(all, fieldsV1), {})
  return [
    ...entries.filter(entry => !ours.includes(entry)),
    { manager: fieldManager, operation: 'Apply', apiVersion, fieldsType: 'FieldsV1', fieldsV1: union, ...(time === undefined ? {} : { time }) },
  ]
}

function merged (a: FieldSet, b: FieldSet): FieldSet {
  const all: Record<string, FieldSet> = { ...a }
  for (const [step, below] of Object.entries(b)) all[step] = merged(all[step] ?? {}, below)
  return all
}

/** What the cache keeps: which managers have fields that must be absorbed, but not which fields. */
export function withoutFieldSets (object: KubernetesObject): KubernetesObject {
  const { managedFields, ...metadata } = object.metadata
  if (managedFields === undefined) return object
  const kept = entriesOf(object).filter(isAbsorbed(object)).map(({ manager = '', operation = '' }) => ({ manager, operation }))
  return { ...object, metadata: kept.length === 0 ? metadata : { ...metadata, managedFields: kept } }
}

export interface LeftToOthers {
  readonly object: KubernetesObject
  /** Such as `spec.instances[name=instance1].replicas`. */
  readonly left: readonly string[]
}

/**
 * The rendered object without the fields that another field manager has taken over. These are fields that another manager has, that we do
 * not have, and whose value differs from ours. `current` must contain its field sets.
 */
export function leaveToOthers (rendered: KubernetesObject, current: KubernetesObject): LeftToOthers {
  const sets = entriesOf(current).filter(({ subresource = '' }) => subresource === '')
  const isOurs = (entry: ManagedFields) => entry.manager === fieldManager || isAbsorbed(current)(entry)
  const setsOf = (own: boolean) => sets.filter(entry => isOurs(entry) === own).map(({ fieldsV1 = {} }) => fieldsV1)
  const owners = step({ ours: setsOf(true), others: setsOf(false) }, 'f:spec')
  const left: string[] = []
  return { object: { ...rendered, spec: without(rendered.spec, current.spec, owners, 'spec', left) }, left }
}

interface Owners { readonly ours: readonly FieldSet[], readonly others: readonly FieldSet[] }

const below = (sets: readonly FieldSet[], step: string) => sets.flatMap(set => set[step] ?? [])
const step = ({ ours, others }: Owners, name: string): Owners => ({ ours: below(ours, name), others: below(others, name) })

function without (wanted: unknown, found: unknown, owners: Owners, path: string, left: string[]): unknown {
  if (isObject(wanted)) {
    return Object.fromEntries(Object.entries(wanted).flatMap(([key, value]) => {
      const theirs = step(owners, `f:${key}`)
      const foundValue = isObject(found) ? found[key] : undefined
      if (isTaken(value, foundValue, theirs)) {
        left.push(`${path}.${key}`)
        return []
      }
      return [[key, without(value, foundValue, theirs, `${path}.${key}`, left)] as const]
    }))
  }
  if (!Array.isArray(wanted)) return wanted
  return wanted.map((entry: unknown) => {
    if (!isObject(entry) || typeof entry.name !== 'string') return entry
    const same = Array.isArray(found) ? found.find(each => isObject(each) && each.name === entry.name) as unknown : undefined
    return without(entry, same, step(owners, `k:${JSON.stringify({ name: entry.name })}`), `${path}[name=${entry.name}]`, left)
  })
}

/** Whether a leaf field differs. Maps and lists are compared recursively. */
function isTaken (wanted: unknown, found: unknown, { ours, others }: Owners): boolean {
  if (others.length === 0 || ours.length > 0) return false
  const isLeaf = others.every(set => Object.keys(set).length === 0)
  return isLeaf && JSON.stringify(wanted) !== JSON.stringify(found)
}
