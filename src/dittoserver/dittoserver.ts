import { compileComparison } from './comparison.ts'
import { readMetadata, type Metadata } from './metadata.ts'
import { objectSchema } from './object-schema.ts'
import { objectTest, objectValidator } from './object-validators.ts'
import type { DittoServerSpec, DittoServerStatus } from './schema.ts'
import { legal, putStandIn } from './stand-in.ts'
import { compileStructural, isObject } from './structural.ts'
import { findErrors, type SchemaError } from './schema-errors.ts'

/** A DittoServer with all defaults filled in. */
export interface DittoServer {
  readonly metadata: Metadata
  readonly spec: DittoServerSpec
  readonly status?: Partial<DittoServerStatus>
}

const validate = (value: unknown) => findErrors(objectSchema, objectValidator(), value)
/** The fast path for nearly all objects: a valid object stays valid when it is pruned and defaults are filled in. */
const isValid = (value: unknown): boolean => objectTest()(value)
/** Makes the validator ready, so that the first object does not have to wait for it. */
export const prepareValidation = (): void => { isValid({}) }
/** The object as it is stored, and the same object with all sections filled in, which is judged and rendered. */
export const toStored = compileStructural(objectSchema)
const toEffective = compileStructural(objectSchema, true)
/** Compares two versions of an object (any JSON values); one may lack defaults that the other has. */
export const comparison = compileComparison(objectSchema)

export interface Reading {
  readonly server: DittoServer
  /** Schema errors of the object, with paths from the root: `spec.nfsPort`. Empty: it is valid. */
  readonly errors: readonly SchemaError[]
}

/**
 * Reads any JSON value as a DittoServer, and never throws. If the value violates the schema, the errors say so, and the server contains
 * valid stand-in values, so that the rules can still judge the rest.
 */
export function readDittoServer (value: unknown): Reading {
  const raw = isObject(value) ? value : {}
  const errors = isValid(raw) ? [] : validate(toStored(raw))
  const { spec } = (errors.length === 0 ? toEffective(raw) : repaired(raw, errors)) as { spec: DittoServerSpec }
  const status = isObject(raw.status) ? { status: raw.status as Partial<DittoServerStatus> } : {}
  return { errors, server: { metadata: readMetadata(raw.metadata), spec, ...status } }
}

function repaired (raw: Record<string, unknown>, errors: readonly SchemaError[]): unknown {
  // A copy that may be modified. There is no error in a filled-in section, which all servers share.
  const copy = toEffective(raw) as Record<string, unknown>
  for (const { keys } of errors) putStandIn(copy, keys, objectSchema)
  const effective = toEffective(copy)
  return isValid(effective) ? effective : toEffective(legal(objectSchema))
}
