import t from 'tap'
import { compileStructural, storedSchema, type StructuralSchema } from '../../src/dittoserver/structural.ts'

const schema: StructuralSchema = {
  type: 'object',
  required: ['name', 'tuning'],
  properties: {
    name: { type: 'string' },
    size: { type: 'string', default: '5Gi' },
    tuning: {
      type: 'object',
      section: true,
      default: {},
      properties: { threads: { type: 'integer', default: 4 }, inner: { type: 'object', section: true, default: {}, properties: { on: { type: 'boolean', default: true } } } },
    },
    labels: { type: 'object', additionalProperties: { type: 'string' }, maxProperties: 2 },
    ports: { type: 'array', maxItems: 2, items: { type: 'object', properties: { port: { type: 'integer' }, protocol: { type: 'string', default: 'TCP' } } } },
    free: { type: 'object' },
  },
}
const stored = compileStructural(schema)
const effective = compileStructural(schema, true)

t.test('prunes, drops nulls, fills defaults', async t => {
  t.strictSame(stored({ name: 'a', unknown: 1 }), { name: 'a', size: '5Gi' })
  t.strictSame(stored({ size: null, labels: null }), { size: '5Gi' })
  t.strictSame(stored({ labels: { a: 'b', c: null } }), { size: '5Gi', labels: { a: 'b' } })
  t.strictSame(stored({ ports: [{ port: 1, x: 2 }, { protocol: 'UDP' }] }), { size: '5Gi', ports: [{ port: 1, protocol: 'TCP' }, { protocol: 'UDP' }] })
  t.strictSame(stored({ tuning: {} }), { size: '5Gi', tuning: { threads: 4 } }, 'a section that is there gets its own defaults')
})

t.test('sections are filled in only in memory', async t => {
  t.strictSame(effective({}), { size: '5Gi', tuning: { threads: 4, inner: { on: true } } })
  t.strictSame(effective({ tuning: { threads: 8 } }), { size: '5Gi', tuning: { threads: 8, inner: { on: true } } })
  const { tuning } = effective({}) as { tuning: object }
  t.ok(Object.isFrozen(tuning), 'what all objects share cannot be changed')
  t.strictSame(storedSchema(schema).required, ['name'], 'nor are they required of what is stored')
})

t.test('a value of a wrong type is left for the validator to report', async t => {
  for (const value of [null, undefined, 7, 'x', [], true]) t.strictSame(stored(value), value)
  for (const value of [7, 'x', {}, true]) t.strictSame(stored({ ports: value }), { size: '5Gi', ports: value })
  for (const value of [7, 'x', [], true]) t.strictSame(stored({ labels: value, tuning: value }), { size: '5Gi', labels: value, tuning: value })
})

t.test('names of Object.prototype are data', async t => {
  const hostile = JSON.parse('{"__proto__":{"size":"1Gi"},"constructor":1,"labels":{"__proto__":"a","constructor":"b"}}') as unknown
  const result = stored(hostile) as { labels: object }
  t.equal(JSON.stringify(result), '{"size":"5Gi","labels":{"__proto__":"a","constructor":"b"}}')
  t.equal(Object.getPrototypeOf(result.labels), Object.prototype)
})

t.test('the input is not modified, and one entry above the limit is enough', async t => {
  const value = { ports: Array.from({ length: 100_000 }, (_, port) => ({ port })), labels: Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`k${i}`, 'v'])) }
  const before = JSON.stringify(value)
  const result = stored(value) as { ports: unknown[], labels: object }
  t.equal(result.ports.length, 3)
  t.equal(Object.keys(result.labels).length, 3)
  t.equal(JSON.stringify(value), before)
})

t.test('a text that is far too long is cut, but still reported as too long', async t => {
  const limited = compileStructural({ type: 'object', properties: { a: { type: 'string', maxLength: 3 }, b: { type: 'string' } } })
  t.strictSame(limited({ a: '1234567', b: '1234567' }), { a: '1234567', b: '1234567' })
  t.strictSame(limited({ a: '12345678', b: '12345678' }), { a: '1234567', b: '12345678' })
  t.strictSame(limited({ a: '😀😀😀😀😀' }), { a: '😀😀😀😀😀'.slice(0, 7) }, 'a character may have two code units')
})
