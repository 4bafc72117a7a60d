import { specSchema, type DittoServerSpec, type DittoServerStatus } from './schema.ts'
import { compileStructural, isObject, storedSchema, type StructuralSchema } from './structural.ts'
import { compileTest, compileValidator, type SchemaError } from './validate.ts'

export interface ObjectMeta {
  readonly name: string
  readonly namespace: string
  readonly generateName: string
  readonly uid: string
  readonly generation: number
  readonly deletionTimestamp?: string
  readonly annotations: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  readonly finalizers: readonly string[]
}

/** A DittoServer with every default filled in. */
export interface DittoServer {
  readonly metadata: ObjectMeta
  readonly spec: DittoServerSpec
  readonly status?: Partial<DittoServerStatus>
}

/** The object as the API server stores and validates it. `status` is written by the operator alone and not judged here. */
export const objectSchema: StructuralSchema = { type: 'object', required: ['spec'], properties: { spec: specSchema } }

const validate = compileValidator(storedSchema(objectSchema))
/** Nearly every object: what is valid as it came stays so when it is pruned and filled in. */
const isValid = compileTest(storedSchema(objectSchema))
/** The object as it is stored; and the same with every section filled in, which is what is judged and rendered. */
export const toStored = compileStructural(objectSchema)
const toEffective = compileStructural(objectSchema, true)

export interface Reading {
  readonly server: DittoServer
  /** How the object breaks its schema, with paths from the root: `spec.nfsPort`. Empty: it fits. */
  readonly errors: readonly SchemaError[]
}

/**
 * Reads any JSON value as a DittoServer, without ever throwing. Where the value breaks the schema, the errors say so and the
 * server carries a legal stand-in, so that one mistake does not keep the rules from judging the rest.
 */
export function readDittoServer (value: unknown): Reading {
  const raw = isObject(value) ? value : {}
  const errors = isValid(raw) ? [] : validate(toStored(raw))
  let object = toEffective(raw)
  // Each round mends one level: an object put in where another type stood may lack its own required fields.
  for (let round = 0, left = errors; left.length > 0 && round < 10; round++) {
    // A copy to write into. What is wrong in it is not copied, and may be nested deeper than any copying could follow.
    const mended = toEffective(object)
    for (const { path } of left) mend(mended, path)
    object = toEffective(mended)
    left = validate(object)
  }
  const { spec } = object as { spec: DittoServerSpec }
  const status = isObject(raw.status) ? { status: raw.status as Partial<DittoServerStatus> } : {}
  return { errors, server: { metadata: readMetadata(raw.metadata), spec, ...status } }
}

const empty: Readonly<Record<string, unknown>> = { object: {}, array: [], string: '', integer: 0, boolean: false }
const legal = ({ example, enum: choices, type = 'object' }: StructuralSchema): unknown => example ?? choices?.[0] ?? empty[type]

/** Sets the value at `path`, or the whole list or map that it lies in, to a legal one; where none is required, removes it. */
function mend (object: unknown, path: string): void {
  let schema: StructuralSchema = objectSchema
  let holder = object
  for (const key of path.split(/[.[]/)) {
    const property = schema.properties?.[key]
    if (!isObject(holder)) return
    if (property?.properties && isObject(holder[key]) && path !== key && !path.endsWith(`.${key}`)) {
      holder = holder[key]
      schema = property
      continue
    }
    const standIn = property?.default ?? (schema.required?.includes(key) && property ? legal(property) : undefined)
    if (standIn === undefined) Reflect.deleteProperty(holder, key)
    else holder[key] = structuredClone(standIn)
    return
  }
}

const textOf = (value: unknown): string => typeof value === 'string' ? value : ''

const noEntries: Readonly<Record<string, string>> = {}

function stringEntries (value: unknown): Readonly<Record<string, string>> {
  if (!isObject(value)) return noEntries
  return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}

function readMetadata (value: unknown): ObjectMeta {
  const raw = isObject(value) ? value : {}
  return {
    name: textOf(raw.name),
    namespace: textOf(raw.namespace),
    generateName: textOf(raw.generateName),
    uid: textOf(raw.uid),
    generation: typeof raw.generation === 'number' ? raw.generation : 0,
    ...(typeof raw.deletionTimestamp === 'string' ? { deletionTimestamp: raw.deletionTimestamp } : {}),
    annotations: stringEntries(raw.annotations),
    labels: stringEntries(raw.labels),
    finalizers: Array.isArray(raw.finalizers) ? raw.finalizers.filter(entry => typeof entry === 'string') : [],
  }
}
