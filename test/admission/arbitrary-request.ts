import fc from 'fast-check'
import { isObject } from '../../src/dittoserver/structural.ts'
import { arbitrarySpec } from '../dittoserver/arbitrary.ts'
import { review, server } from './webhook.ts'

// Requests to the webhook: reviews, reviews with something else in some place, and bytes.

export interface ArbitraryRequest {
  readonly url: string
  readonly contentType: string
  readonly body: Buffer
}

const text = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('__proto__', 'constructor', 'toString', '\u0000', '\ud800', '../..', '%zz', "'", '\\', '\u202e', 'x'.repeat(3_000)),
)
const odd = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom(null, '', 0, -1, 1e300, 2 ** 53, true, [], {}, [[]], [null], { '': {} }, { toString: 1 }, { length: 1e9 }),
  text,
)
const metadata = fc.record({
  name: text,
  namespace: text,
  generateName: text,
  annotations: fc.oneof(fc.dictionary(text, odd, { maxKeys: 3 }), fc.constant({ 'dittofs.dittofs.com/acknowledge': 'PG-DISABLE,DB-PATH-CHANGE' })),
  labels: odd,
  finalizers: odd,
  deletionTimestamp: odd,
}, { requiredKeys: [] })

/** Specs take most of the time to make, so they are made once; of two of them, each input has some sections. */
const specs = fc.sample(arbitrarySpec, { numRuns: 2_000, seed: 20_260_707 }).map(spec => JSON.parse(JSON.stringify(spec)) as unknown)
const spec = fc.tuple(fc.constantFrom(...specs), fc.constantFrom(...specs), fc.nat()).map(([one, other, choice]) => {
  if (!isObject(one) || !isObject(other) || choice % 2 === 0) return one
  const from = Object.entries(other).filter((_, index) => (choice >> (index % 30)) % 2 === 1)
  return { ...one, ...Object.fromEntries(from) }
})

const object = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(spec, fc.oneof({ weight: 4, arbitrary: fc.constant({}) }, metadata)) },
  { weight: 1, arbitrary: fc.tuple(odd, metadata) },
).map(([spec, over]) => ({ ...server({}, over), spec }))

/** Mostly what belongs there. */
const often = (usual: fc.Arbitrary<unknown>, weight = 9) => fc.oneof({ weight, arbitrary: usual }, odd)

const parts = fc.record({
  operation: fc.oneof({ weight: 8, arbitrary: fc.constantFrom('CREATE', 'UPDATE') }, fc.constantFrom('DELETE', 'CONNECT', ''), text),
  object: often(object),
  oldObject: often(object),
  dryRun: often(fc.boolean()),
})
const others = fc.record(
  { uid: odd, kind: odd, namespace: odd, name: odd, userInfo: odd, subResource: odd, options: odd }, { requiredKeys: [] },
)

/** Every so often a thing that is in the review becomes another. */
const spoil = fc.tuple(fc.array(fc.nat(6), { maxLength: 7 }), odd)
const seldom = <Value>(arbitrary: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })
const spoiled = fc.tuple(parts, seldom(others), seldom(spoil)).map(([over, more, place]) => {
  const whole = JSON.parse(JSON.stringify(review({ ...over, ...more }))) as Record<string, unknown>
  if (place) replaceAt(whole, ...place)
  return whole
})

/** Follows the steps, each the number of a key, and replaces what is there. */
function replaceAt (root: unknown, steps: readonly number[], value: unknown): void {
  let holder = root
  for (const [index, step] of steps.entries()) {
    if (typeof holder !== 'object' || holder === null) return
    const keys = Object.keys(holder)
    const key = keys[step % Math.max(1, keys.length)]
    if (key === undefined) return
    if (index === steps.length - 1) Object.defineProperty(holder, key, { value, enumerable: true })
    else holder = Reflect.get(holder, key)
  }
}

const json = spoiled.map(value => Buffer.from(JSON.stringify(value)))

/** Bytes that are exchanged, left out, or there twice. */
const edit = fc.tuple(fc.nat(), fc.uint8Array({ maxLength: 6 }), fc.nat(20))
const edited = fc.tuple(json, fc.array(edit, { minLength: 1, maxLength: 4 })).map(
  ([bytes, edits]) => edits.reduce((before: Buffer, [at, more, less]) => {
    const place = at % (before.length + 1)
    return Buffer.concat([before.subarray(0, place), more, before.subarray(place + less)])
  }, bytes),
)

const body = fc.oneof(
  { weight: 12, arbitrary: json },
  { weight: 4, arbitrary: edited },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes)) },
  { weight: 1, arbitrary: odd.map(value => Buffer.from(JSON.stringify(value) ?? '')) },
)

export const arbitraryRequest: fc.Arbitrary<ArbitraryRequest> = fc.record({
  url: fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom('/validate', '/mutate', '/validate?timeout=5s') },
    fc.tuple(fc.constantFrom('/validate', '/mutate', '/', '/x'), fc.webQueryParameters()).map(([path, query]) => `${path}?timeout=${query}`),
  ),
  contentType: fc.oneof({ weight: 40, arbitrary: fc.constant('application/json') }, fc.constantFrom('text/plain', 'application/json; charset=utf-16', 'x')),
  body,
})
