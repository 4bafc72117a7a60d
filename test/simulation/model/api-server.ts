import { checkPreconditions, deleteOptions, finalizersOf, isDeleted, marked } from './deletion.ts'
import { alreadyExists, conflict, invalid, modified, notFound, Refused } from './errors.ts'
import { qualifiedKind, qualifiedResource, resetFields, type ModelKind, type Surroundings } from './kind.ts'
import { allKinds } from './kinds.ts'
import { keepMetadata, metadataOf, validateMetadata, withGeneration } from './metadata.ts'
import { applied, updated, type WriteContext } from './ownership.ts'
import { Store } from './store.ts'
import { isEqual, isTree, mergePatch, withLeaf, withoutNulls, type Tree } from './tree.ts'

export interface WriteOptions {
  /** Who is said to have written: `fieldManager`, or the beginning of the User-Agent. */
  readonly manager: string
  readonly subresource?: string
  readonly dryRun?: boolean
}

export interface Place { readonly kind: ModelKind, readonly namespace: string, readonly name: string }

/** How the API server answers a request that it does not refuse. */
export interface Answer { readonly status: 200 | 201 | 202, readonly body: Tree }

const owned = (object: Tree) => withLeaf(object, ['metadata', 'managedFields'], undefined)

/** Without the times of field managers: a write that changes nothing else is none. */
const withoutTimes = (object: Tree) => {
  const { managedFields } = metadataOf(object)
  return Array.isArray(managedFields) ? withLeaf(object, ['metadata', 'managedFields'], managedFields.map(entry => ({ ...entry as Tree, time: '' }))) : object
}

/**
 * The API server, as far as it matters to those who read and write: versions, defaults, immutable fields, server-side apply,
 * finalizers, preconditions. It is held to the real one by test/e2e/simulation-model.test.ts.
 */
export class ModelApiServer {
  readonly store = new Store()
  readonly #now: () => Date
  readonly #sequences = new Map<string, number>()
  readonly #absent = new Set<ModelKind>()
  readonly #around: Surroundings
  #lastTime = { second: NaN, text: '' }

  constructor (now: () => Date) {
    this.#now = now
    this.#around = {
      find: (resource, namespace, name) => this.store.get(this.#kind(resource), namespace, name),
      list: resource => this.store.list(this.#kind(resource)),
      next: sequence => this.next(sequence),
    }
  }

  /** The next number of an independent sequence. */
  next (sequence: string): number {
    const number = this.#sequences.get(sequence) ?? 0
    this.#sequences.set(sequence, number + 1)
    return number
  }

  /** Installs the CRD of a kind, or removes it with all its objects. */
  serve (kind: ModelKind, served: boolean): void {
    if (served) this.#absent.delete(kind)
    else {
      this.#absent.add(kind)
      for (const object of this.store.list(kind)) this.store.remove(kind, object)
    }
  }

  isServed (kind: ModelKind): boolean { return !this.#absent.has(kind) }

  get ({ kind, namespace, name }: Place): Tree {
    const found = this.store.get(kind, namespace, name)
    if (!found) throw notFound(qualifiedResource(kind), name)
    return found
  }

  create ({ kind, namespace, name: given }: Place, body: unknown, options: WriteOptions): Answer {
    const sent = this.#read(kind, namespace, body)
    const meta = metadataOf(sent)
    const name = given || String(meta.name ?? `${String(meta.generateName)}${this.next('name').toString(36).padStart(5, '0')}`)
    const object = kind.defaults?.(withLeaf(withoutStatus(kind, sent), ['metadata', 'name'], name)) ?? withLeaf(withoutStatus(kind, sent), ['metadata', 'name'], name)
    return { status: 201, body: this.#insert(kind, updated(kind.empty, object, this.#context(kind, options)), options) }
  }

  /** Replaces an object. */
  update (place: Place, body: unknown, options: WriteOptions): Answer {
    const { kind, namespace, name } = place
    const given = metadataOf(body)
    if (kind.createsOnUpdate === true && !this.store.get(kind, namespace, name)) {
      if (given.uid !== undefined || given.resourceVersion !== undefined) throw conflict(qualifiedResource(kind), name, 'Precondition failed: UID in precondition')
      return this.create(place, body, options)
    }
    const before = this.get(place)
    const sent = withLeaf(withLeaf(this.#read(kind, namespace, body), ['metadata', 'name'], name), ['metadata', 'namespace'], namespace || undefined)
    return { status: 200, body: this.#replace(kind, before, kind.defaults?.(sent) ?? sent, options) }
  }

  /** https://www.rfc-editor.org/rfc/rfc7396 */
  patch (place: Place, patch: unknown, options: WriteOptions): Answer {
    const { kind } = place
    const before = this.get(place)
    const patched = withoutNulls(mergePatch(before, patch)) as Tree
    return { status: 200, body: this.#replace(kind, before, kind.defaults?.(patched) ?? patched, options) }
  }

  apply (place: Place, body: unknown, { force, ...options }: WriteOptions & { readonly force: boolean }): Answer {
    const { kind, namespace, name } = place
    const before = this.store.get(kind, namespace, name)
    const config = this.#read(kind, namespace, body)
    if (metadataOf(config).managedFields !== undefined) throw new Refused(400, 'BadRequest', 'metadata.managedFields must be nil')
    const context = { ...this.#context(kind, options), force, fill: kind.defaults ?? (object => object) }
    if (before) return { status: 200, body: this.#store(kind, before, applied(before, config, context), options) }
    if (metadataOf(config).uid !== undefined) throw conflict(qualifiedResource(kind), name, `uid mismatch: the provided object specified uid ${String(metadataOf(config).uid)}, and no existing object was found`)
    return { status: 201, body: this.#insert(kind, applied(kind.empty, withoutStatus(kind, config), context), options) }
  }

  remove (place: Place, body: unknown): Answer {
    const { kind, name } = place
    const before = this.get(place)
    const options = deleteOptions(body)
    checkPreconditions(kind, before, options)
    const waiting = marked(before, options, this.#time())
    if (waiting) return { status: 200, body: isEqual(waiting, before) ? before : this.store.put(kind, waiting) }
    const last = this.store.remove(kind, before)
    if (kind.returnsDeleted === true) return { status: 200, body: last }
    return { status: 200, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details: { name, kind: kind.resource, uid: metadataOf(before).uid } } }
  }

  #replace (kind: ModelKind, before: Tree, wanted: Tree, options: WriteOptions): Tree {
    const { subresource = '' } = options
    const whole = !kind.status
      ? wanted
      : subresource === 'status' ? statusOnly(before, wanted) : { ...wanted, status: before.status }
    const defined = whole.status === undefined ? withLeaf(whole, ['status'], undefined) : whole
    this.#checkVersion(kind, before, defined)
    const identity = metadataOf(defined).uid === undefined ? {} : { uid: metadataOf(defined).uid }
    const tracked = updated(before, keepMetadata(defined, before), this.#context(kind, options))
    return this.#store(kind, before, { ...tracked, metadata: { ...metadataOf(tracked), ...identity } }, options)
  }

  #checkVersion (kind: ModelKind, before: Tree, wanted: Tree): void {
    const [old, asked] = [metadataOf(before), metadataOf(wanted)]
    const name = String(old.name)
    if (asked.resourceVersion !== undefined && asked.resourceVersion !== old.resourceVersion) throw modified(qualifiedResource(kind), name)
  }

  /** The end of every change of an object that is there. */
  #store (kind: ModelKind, before: Tree, wanted: Tree, { dryRun, subresource = '' }: WriteOptions): Tree {
    this.#checkVersion(kind, before, wanted)
    const kept = withoutNulls(keepMetadata(wanted, before)) as Tree
    const prepared = kind.prepare?.(kept, before, this.#around) ?? kept
    const next = subresource === '' ? withGeneration(prepared, before, kind.generation, isEqual) : prepared
    this.#validate(kind, next, before, wanted)
    if (isEqual(withoutTimes(next), withoutTimes(before))) return before
    if (dryRun === true) return next
    if (isDeleted(next) && finalizersOf(next).length === 0) {
      this.store.remove(kind, before)
      return next
    }
    return this.store.put(kind, next)
  }

  #insert (kind: ModelKind, wanted: Tree, { dryRun }: WriteOptions): Tree {
    const { resourceVersion, uid, deletionTimestamp, generation, ...metadata } = metadataOf(wanted)
    const name = String(metadata.name)
    const made = {
      ...wanted,
      metadata: { ...metadata, uid: this.#uid(), creationTimestamp: this.#time(), ...(kind.generation ? { generation: 1 } : {}) },
    }
    const prepared = withoutNulls(kind.prepare?.(made, undefined, this.#around) ?? made) as Tree
    this.#validate(kind, prepared)
    if (this.store.get(kind, String(metadata.namespace ?? ''), name)) throw alreadyExists(qualifiedResource(kind), name)
    return dryRun === true ? prepared : this.store.put(kind, prepared)
  }

  #validate (kind: ModelKind, object: Tree, before?: Tree, wanted?: Tree): void {
    const causes = [...validateMetadata(object, before, wanted), ...(kind.validate?.(owned(object), before && owned(before)) ?? [])]
    if (causes.length > 0) throw invalid(qualifiedKind(kind), String(metadataOf(object).name), causes)
    kind.admit?.(object, before, this.#around)
  }

  #read ({ apiVersion, kind }: ModelKind, namespace: string, body: unknown): Tree {
    const object = withoutNulls(isTree(body) ? body : {}) as Tree
    if (object.apiVersion !== apiVersion || object.kind !== kind) {
      throw new Refused(400, 'BadRequest', `${String(object.apiVersion)} ${String(object.kind)} in the request, ${apiVersion} ${kind} expected`)
    }
    return namespace === '' ? object : withLeaf(object, ['metadata', 'namespace'], namespace)
  }

  #context (kind: ModelKind, { manager, subresource = '' }: WriteOptions): WriteContext {
    const { shape, apiVersion, empty } = kind
    return { shape, apiVersion, empty, manager, subresource, reset: resetFields(kind, subresource), now: this.#time() }
  }

  #kind (resource: string): ModelKind {
    const found = allKinds.find(kind => kind.resource === resource)
    if (!found) throw new Error(`no kind has the resource ${resource}`)
    return found
  }

  #uid (): string { return `00000000-0000-4000-9000-${this.next('uid').toString(16).padStart(12, '0')}` }

  /** RFC 3339, whole seconds. */
  #time (): string {
    const second = Math.floor(this.#now().getTime() / 1000)
    if (second !== this.#lastTime.second) this.#lastTime = { second, text: new Date(second * 1000).toISOString().replace('.000Z', 'Z') }
    return this.#lastTime.text
  }
}

/** The fields that an update of the status may change, and its preconditions. */
function statusOnly (before: Tree, wanted: Tree): Tree {
  const { uid, resourceVersion } = metadataOf(wanted)
  return { ...before, status: wanted.status, metadata: { ...metadataOf(before), uid, resourceVersion } }
}

const withoutStatus = (kind: ModelKind, object: Tree): Tree => kind.status ? withLeaf(object, ['status'], undefined) : object
