import fc from 'fast-check'
import t from 'tap'
import { readDittoServer } from '../../src/dittoserver/dittoserver.ts'
import { objectSchema } from '../../src/dittoserver/object-schema.ts'
import { compileStructural, isObject } from '../../src/dittoserver/structural.ts'
import { noFacts } from '../../src/rules/facts.ts'
import { judge, prepare, type Verdict } from '../../src/rules/judge.ts'
import { rules } from '../../src/rules/table.ts'
import { arbitrarySpec } from '../dittoserver/arbitrary.ts'

// Of any old object, legal or not, and any new one. RATCHET_RUNS=100000 npm test -- test/rules/ratchet.test.ts

const parameters = { numRuns: Number(process.env.RATCHET_RUNS ?? 1_500), seed: 20_260_505 }

const spec = arbitrarySpec.map(found => JSON.parse(JSON.stringify(found)) as unknown)
const dittoServer = (specification: unknown, metadata: object = {}) => ({ metadata: { name: 'demo', ...metadata }, spec: specification })

const update = (object: unknown, oldObject: unknown): Verdict => judge(prepare({ operation: 'UPDATE', object, oldObject }), noFacts)
const create = (object: unknown): Verdict => judge(prepare({ operation: 'CREATE', object }), noFacts)

/** Rules that compare with the old object: a refused object may be valid on its own. */
const comparing = new Set(rules.filter(({ operations }) => operations?.length === 1 && operations[0] === 'UPDATE').map(({ id }) => id))

const toEffective = compileStructural(objectSchema, true)

/** The value at a path of sections, including defaults. */
const at = (object: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((value, key) => isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined, toEffective(object))

/** Sections of the two specs, each from one or the other. */
const mixed = fc.tuple(spec, spec, fc.array(fc.boolean(), { minLength: 20, maxLength: 20 })).map(([before, after, choice]) => {
  if (!isObject(before) || !isObject(after)) return { before, after }
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return {
    before,
    after: Object.fromEntries(keys.flatMap((key, index) => {
      const from = choice[index] ? after : before
      return Object.hasOwn(from, key) ? [[key, from[key]]] : []
    }))
  }
})

t.test('any stored object can be deleted, and its finalizer can be removed', async () => {
  fc.assert(fc.property(spec, spec, (before, after) => {
    const old = dittoServer(before, { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['a'] })
    return update(dittoServer(before, { deletionTimestamp: '2026-01-01T00:00:00Z' }), old).allowed &&
      update(dittoServer(after, { deletionTimestamp: '2026-01-01T00:00:00Z' }), old).allowed
  }), parameters)
})

t.test('metadata can be edited', async () => {
  fc.assert(fc.property(spec, before => {
    const { allowed, warnings } = update(dittoServer(before, { labels: { a: 'b' } }), dittoServer(before))
    return allowed && warnings.length === 0
  }), parameters)
})

/** A missing field is reported at its nearest existing parent. */
const present = (object: unknown, path: string): string =>
  at(object, path) === undefined && path.includes('.') ? present(object, path.slice(0, path.lastIndexOf('.'))) : path

const isSame = (before: unknown, after: unknown, path: string) =>
  JSON.stringify(at(dittoServer(before), path)) === JSON.stringify(at(dittoServer(after), path))

t.test('unchanged errors are never refused', async () => {
  fc.assert(fc.property(mixed, ({ before, after }) => {
    const refused = update(dittoServer(after), dittoServer(before)).errors
    const wrongByItself = create(dittoServer(after)).errors.map(({ rule, field }) => `${rule} ${field}`)
    for (const { rule, field, restsOn = [field] } of refused) {
      const sections = restsOn.map(path => path.replace(/\[.*$/, ''))
      if (!comparing.has(rule) && !wrongByItself.includes(`${rule} ${field}`)) throw new Error(`${rule} at ${field} is refused on an update alone`)
      if (sections.every(path => isSame(before, after, present(dittoServer(after), path)))) {
        throw new Error(`${rule} at ${field} is refused although ${sections.join(', ')} did not change`)
      }
    }
  }), parameters)
})

t.test('changed errors are refused', async t => {
  let found = 0
  fc.assert(fc.property(mixed, ({ before, after }) => {
    const refused = update(dittoServer(after), dittoServer(before)).errors.map(({ field }) => field)
    for (const { rule, field, restsOn = [field] } of create(dittoServer(after)).errors) {
      if (refused.includes(field) || restsOn.every(path => isSame(before, after, path))) continue
      throw new Error(`${rule} at ${field} is refused on creation, and let through where ${restsOn.join(', ')} changed`)
    }
    for (const { path, restsOn } of readDittoServer(dittoServer(after)).errors) {
      if (isSame(before, after, restsOn.join('.'))) continue
      found++
      if (!refused.includes(path)) throw new Error(`${path} changed and is wrong, but was let through`)
    }
  }), parameters)
  t.ok(found > parameters.numRuns / 20, `${found} errors`)
})
