import t from 'tap'
import { compileTest, compileValidator } from '../../src/dittoserver/compile-schema.ts'
import { readDittoServer } from '../../src/dittoserver/dittoserver.ts'
import { findErrors } from '../../src/dittoserver/schema-errors.ts'
import { legal, putStandIn } from '../../src/dittoserver/stand-in.ts'
import type { StructuralSchema } from '../../src/dittoserver/structural.ts'

const schema: StructuralSchema = {
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 4 },
    code: { type: 'string', minLength: 2, pattern: '^[a-z]*$' },
    hinted: { type: 'string', minLength: 1, pattern: '^[a-z]+$', hint: 'a word' },
    count: { type: 'integer', minimum: 2, maximum: 5 },
    mode: { type: 'string', enum: ['on', 'off'] },
    only: { type: 'string', enum: ['one'] },
    level: { type: 'string', enum: ['low', 'high'], hint: 'a level' },
    none: { type: 'array', maxItems: 0, items: { type: 'string' } },
    inner: { type: 'object', required: ['key'], properties: { key: { type: 'string' } } },
    labels: { type: 'object', maxProperties: 2, additionalProperties: { type: 'string', maxLength: 3 } },
    amounts: {
      type: 'object',
      additionalProperties: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }], pattern: '^[0-9]+$', hint: 'an amount' },
    },
    ports: {
      type: 'array',
      maxItems: 2,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: { type: 'object', required: ['port'], properties: { name: { type: 'string' }, port: { type: 'integer' } } },
    },
  },
}
const errorsIn = (schema: StructuralSchema) => {
  const compiled = compileValidator(schema)
  return (value: unknown) => findErrors(schema, compiled, value)
}
const validate = errorsIn(schema)
const isValid = compileTest(schema)

t.test('each error has a path, a problem and a clause that says what is allowed', async t => {
  const cases: readonly [value: object, ...said: string[]][] = [
    [{}],
    [{ name: undefined }, 'name: Required value: must be set'],
    [{ name: '' }, 'name: Invalid value: must not be empty'],
    [{ name: 'abcd' }],
    [{ name: 'abcde' }, 'name: Invalid value: must have at most 4 characters'],
    [{ name: 7 }, 'name: Invalid value: must be a string'],
    [{ code: 'a' }, 'code: Invalid value: must have at least 2 characters'],
    [{ code: 'A9' }, 'code: Invalid value: must match ^[a-z]*$'],
    [{ hinted: '' }, 'hinted: Invalid value: must be a word'],
    [{ hinted: '9' }, 'hinted: Invalid value: must be a word'],
    [{ count: 2 }],
    [{ count: 5 }],
    [{ count: 1 }, 'count: Invalid value: must be at least 2'],
    [{ count: 6 }, 'count: Invalid value: must be at most 5'],
    [{ count: '3' }, 'count: Invalid value: must be an integer'],
    [{ count: 2.5 }, 'count: Invalid value: must be an integer'],
    [{ mode: 'x' }, "mode: Unsupported value: must be one of 'on', 'off'"],
    [{ only: 'x' }, "only: Unsupported value: must be 'one'"],
    [{ level: 'x' }, 'level: Unsupported value: must be a level'],
    [{ none: [] }],
    [{ none: ['a'] }, 'none: Invalid value: must be empty'],
    [{ inner: {} }, 'inner.key: Required value: must be set'],
    [{ inner: 5 }, 'inner: Invalid value: must be an object'],
    [{ labels: { 'a/b~c': 'long' } }, "labels['a/b~c']: Invalid value: must have at most 3 characters"],
    [{ labels: { a: '', b: '', c: '' } }, 'labels: Invalid value: must have at most 2 entries'],
    [{ amounts: { a: 1, b: '2' } }],
    [{ amounts: { a: 'x' } }, "amounts['a']: Invalid value: must be an amount"],
    [{ amounts: { a: true } }, "amounts['a']: Invalid value: must be a string or an integer"],
    [{ ports: [{ name: 'a', port: 1 }, { name: 'b', port: 1 }] }],
    [{ ports: [{ name: 'a', port: 1 }, { name: 'a', port: 2 }] }, 'ports: Invalid value: must not list the same key twice'],
    [{ ports: [{ port: 1 }, { port: 2 }] }],
    [{ ports: [{ name: 'a' }] }, 'ports[0].port: Required value: must be set'],
    [{ ports: [{ name: 'a', port: 1 }, { name: 'b', port: 'x' }] }, 'ports[1].port: Invalid value: must be an integer'],
    [{ ports: [{ port: 1 }, { port: 2 }, { port: 3 }] }, 'ports: Invalid value: must have at most 2 items'],
    [{ count: 1, mode: 'x' }, 'count: Invalid value: must be at least 2', "mode: Unsupported value: must be one of 'on', 'off'"],
  ]
  for (const [over, ...said] of cases) {
    const value = JSON.parse(JSON.stringify({ name: 'a', ...over })) as unknown
    t.strictSame(validate(value).map(({ path, problem, allowed }) => `${path}: ${problem}: ${allowed}`), said, JSON.stringify(value))
    t.equal(isValid(value), said.length === 0)
  }
})

t.test('a keyword without a clause uses the message of the validator', async t => {
  const even = errorsIn({ type: 'object', properties: { even: { type: 'integer', multipleOf: 2 } } })
  t.match(even({ even: 3 }), [{ path: 'even', keyword: 'multipleOf', problem: 'Invalid value', allowed: 'must be multiple of 2' }])
})

t.test('an unknown keyword is an error in the schema', async t => {
  t.throws(() => compileValidator({ type: 'object', propertys: {} }), /unknown keyword: "propertys"/)
})

t.test('restsOn is above a missing field, and never inside a list', async t => {
  const cases: readonly [value: object, keys: readonly string[], restsOn: readonly string[], found: unknown][] = [
    [{ count: 9 }, ['count'], ['count'], 9],
    [{ inner: {} }, ['inner', 'key'], ['inner'], undefined],
    [{ labels: { a: 'long' } }, ['labels', 'a'], ['labels', 'a'], 'long'],
    [{ ports: [{ name: 'a' }] }, ['ports', '0', 'port'], ['ports'], undefined],
    [{ ports: [{ name: 'a', port: 'x' }] }, ['ports', '0', 'port'], ['ports'], 'x'],
  ]
  for (const [over, keys, restsOn, found] of cases) {
    const [error, ...more] = validate({ name: 'a', ...over })
    t.strictSame([error?.keys, error?.restsOn, error?.found, more], [keys, restsOn, found, []], JSON.stringify(over))
  }
})

t.test('a valid value for every node', async t => {
  const cases: readonly [StructuralSchema, unknown][] = [
    [{ type: 'string', example: 'e', enum: ['a'], default: 'd' }, 'e'],
    [{ type: 'string', enum: ['a', 'b'], default: 'b' }, 'a'],
    [{ type: 'string', default: 'd' }, 'd'],
    [{ type: 'string' }, ''],
    [{ type: 'integer' }, 0],
    [{ type: 'boolean' }, false],
    [{ type: 'array' }, []],
    [{ type: 'object' }, {}],
    [{}, {}],
    [{ type: 'object', required: ['a'], properties: { a: { type: 'string', example: 'x' }, b: { type: 'string' } } }, { a: 'x' }],
    [{ type: 'object', properties: { b: { type: 'string' } } }, {}],
    [{ type: 'object', example: { b: 'y' }, required: ['a'], properties: { a: { type: 'string' }, b: { type: 'string' } } }, { b: 'y' }],
  ]
  for (const [node, value] of cases) t.strictSame(legal(node), value, JSON.stringify(node))
})

t.test('an invalid value is replaced, or removed if it is not required', async t => {
  const root: StructuralSchema = {
    type: 'object',
    required: ['name'],
    properties: {
      name: { type: 'string', example: 'n' },
      size: { type: 'integer', default: 5 },
      extra: { type: 'string' },
      tuning: { type: 'object', section: true, default: {}, required: ['threads'], properties: { threads: { type: 'integer', default: 4 } } },
      list: { type: 'array', items: { type: 'object', properties: { a: { type: 'string' } } } },
      labels: { type: 'object', additionalProperties: { type: 'string' } },
    },
  }
  const cases: readonly [value: Record<string, unknown>, keys: readonly string[], after: object][] = [
    [{ name: 1 }, ['name'], { name: 'n' }],
    [{}, ['name'], { name: 'n' }],
    [{ size: 'x', extra: 'a' }, ['size'], { size: 5, extra: 'a' }],
    [{ extra: 1, size: 1 }, ['extra'], { size: 1 }],
    [{ tuning: { threads: 'x', more: 1 } }, ['tuning', 'threads'], { tuning: { threads: 4, more: 1 } }],
    [{ tuning: 5 }, ['tuning'], { tuning: { threads: 4 } }],
    [{ tuning: { threads: 5, more: 1 } }, ['tuning'], { tuning: { threads: 4 } }],
    [{ tuning: 5 }, ['tuning', 'threads'], { tuning: { threads: 4 } }],
    [{ list: [{ a: 1 }], size: 1 }, ['list', '0', 'a'], { size: 1 }],
    [{ labels: { a: 1 }, size: 1 }, ['labels', 'a'], { size: 1 }],
    [{ other: 1 }, ['other'], {}],
    [{ other: { a: 1 } }, ['other', 'a'], {}],
  ]
  for (const [value, keys, after] of cases) {
    const before = JSON.stringify(value)
    putStandIn(value, keys, root)
    t.strictSame(value, after, `${before} at ${keys.join('.')}`)
  }
})

t.test('valid metadata is not changed', async t => {
  const read = (metadata: unknown) => readDittoServer({ metadata }).server.metadata
  const absent = { name: '', namespace: '', generateName: '', uid: '', generation: 0, annotations: {}, finalizers: [] }
  const whole = {
    name: 'a', namespace: 'b', generateName: 'a-', uid: 'u', generation: 3, deletionTimestamp: 't', annotations: { x: 'y' }, finalizers: ['f'],
  }
  t.strictSame(read(whole), whole)
  for (const none of [undefined, null, [], 7, 'x', {}]) t.strictSame(read(none), absent, JSON.stringify(none))
  t.strictSame(read({ name: 1, namespace: 1, generateName: 1, uid: 1, generation: '3', deletionTimestamp: 1, annotations: [], finalizers: 'f' }), absent)
  t.strictSame(read({ finalizers: ['f', 1, null] }).finalizers, ['f'])
})

t.test('an invalid status is ignored', async t => {
  t.strictSame(readDittoServer({ status: { phase: 'Running' } }).server.status, { phase: 'Running' })
  for (const status of [undefined, null, 'x', []]) t.notOk('status' in readDittoServer({ status }).server)
})
