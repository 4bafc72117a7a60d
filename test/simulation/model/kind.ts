import type { StatusDetails } from '../../../src/cluster/api-error.ts'
import type { Resource } from '../../../src/cluster/resource-path.ts'
import { FieldSet } from './field-set.ts'
import type { Shape } from './shape.ts'
import type { Tree } from './tree.ts'

export type Cause = NonNullable<StatusDetails['causes']>[number]

/** The rest of the cluster, which a write may read in addition to the object. */
export interface Surroundings {
  readonly find: (resource: string, namespace: string, name: string) => Tree | undefined
  readonly list: (resource: string) => readonly Tree[]
  /** The next number of a sequence, for addresses and ports. */
  readonly next: (sequence: string) => number
}

/** One kind as the API server knows it, as far as the operator, its users or the controllers touch it. */
export interface ModelKind extends Resource {
  readonly kind: string
  readonly apiVersion: string
  readonly namespaced: boolean
  readonly shape: Shape
  /** The status has its own endpoint, and other writes do not change it. */
  readonly status: boolean
  /** Changes of anything but metadata and status are counted. */
  readonly generation: boolean
  /** An empty object of the kind: the fields that Go types always have. */
  readonly empty: Tree
  /** A deletion is answered with the object, and not with a Status. */
  readonly returnsDeleted?: true
  /** A PUT of an object that does not exist creates it. */
  readonly createsOnUpdate?: true
  /** Defaults that are set when a request is decoded; they belong to its sender. */
  readonly defaults?: (object: Tree) => Tree
  /** Fields that are set or kept when an object is stored; they belong to no manager. `before` is undefined for a create. */
  readonly prepare?: (object: Tree, before: Tree | undefined, around: Surroundings) => Tree
  readonly validate?: (object: Tree, before: Tree | undefined) => readonly Cause[]
  /** @throws {Refused} refusals of admission plugins */
  readonly admit?: (object: Tree, before: Tree | undefined, around: Surroundings) => void
}

const status = FieldSet.of(['status'])
const ofStatus = FieldSet.of(['spec'])
const ofCustomStatus = FieldSet.of(['spec'], ['metadata'])
const nothing = new FieldSet()

/** Fields that a write to an endpoint cannot change. */
export function resetFields (kind: ModelKind, subresource: string): FieldSet {
  if (!kind.status) return nothing
  if (subresource === '') return status
  return kind.group.includes('.com') ? ofCustomStatus : ofStatus
}

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#standard-api-terminology */
export const qualifiedResource = ({ group, resource }: Resource) => group === '' ? resource : `${resource}.${group}`
export const qualifiedKind = ({ group, kind }: Pick<ModelKind, 'group' | 'kind'>) => group === '' ? kind : `${kind}.${group}`
