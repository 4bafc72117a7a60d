import t from 'tap'
import { compileComparison, sameJson } from '../../src/dittoserver/comparison.ts'
import type { StructuralSchema } from '../../src/dittoserver/structural.ts'

t.test('equality of two JSON values', async t => {
  const same: readonly [unknown, unknown][] = [
    [1, 1], ['', ''], [null, null], [undefined, undefined], [[], []], [{}, {}],
    [[1, [2, { a: 3 }]], [1, [2, { a: 3 }]]], [{ a: 1, b: 2 }, { b: 2, a: 1 }], [{ a: undefined }, { a: undefined }],
  ]
  const other: readonly [unknown, unknown][] = [
    [1, 2], [1, '1'], [0, false], [null, undefined], [null, {}], [[], {}], [{}, []], ['', []], [[1], [1, 2]], [[1, 2], [1]], [[1, 2], [2, 1]],
    [{ a: 1 }, {}], [{}, { a: 1 }], [{ a: 1 }, { b: 1 }], [{ a: undefined }, { b: undefined }], [{ a: [{ b: 1 }] }, { a: [{ b: 2 }] }],
    [{ a: 1, b: 1 }, { a: 1, b: 2 }], [{ a: 2, b: 1 }, { a: 1, b: 1 }], [[{ constructor: 1 }], [{}]],
  ]
  for (const [a, b] of same) t.ok(sameJson(a, b), JSON.stringify([a, b]))
  for (const [a, b] of other) t.notOk(sameJson(a, b), JSON.stringify([a, b]))
  const deep = (levels: number) => Array.from({ length: levels }).reduce<unknown>(inner => ({ inner }), 'x')
  t.ok(sameJson(deep(100_000), deep(100_000)), 'deeper than the stack')
  t.notOk(sameJson(deep(100_000), deep(100_001)))
})

const schema: StructuralSchema = {
  type: 'object',
  properties: {
    size: { type: 'string', default: '5Gi' },
    name: { type: 'string' },
    tuning: { type: 'object', section: true, default: {}, properties: { threads: { type: 'integer', default: 4 } } },
    reference: { type: 'object', properties: { name: { type: 'string', default: '' } } },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    ports: { type: 'array', items: { type: 'object', properties: { port: { type: 'integer' }, protocol: { type: 'string', default: 'TCP' } } } },
  },
}
const comparison = compileComparison(schema)
const changed = (a: unknown, b: unknown) => [...comparison.changedPaths(a, b)].toSorted()

t.test('the differences between stored objects', async t => {
  const cases: readonly [what: string, a: unknown, b: unknown, paths: readonly string[]][] = [
    ['nothing', {}, {}, []],
    ['a default spelled out', { size: '5Gi', tuning: {} }, { tuning: { threads: 4 } }, []],
    ['null is absent', { size: null, name: null, labels: { a: null } }, { labels: {} }, []],
    ['what the schema has not', { other: 1 }, { other: 2 }, []],
    ['a value', { size: '6Gi' }, {}, ['', 'size']],
    ['a value in a section', { tuning: { threads: 5 } }, {}, ['', 'tuning', 'tuning.threads']],
    ['an optional object of defaults', { reference: {} }, {}, ['', 'reference', 'reference.name']],
    ['a value in it', { reference: { name: 'a' } }, { reference: {} }, ['', 'reference', 'reference.name']],
    ['a section that is no object', { tuning: 5 }, {}, ['', 'tuning']],
    ['and one with a value', { tuning: 5 }, { tuning: { threads: 5 } }, ['', 'tuning', 'tuning.threads']],
    ['one that is none, before and after', { tuning: 5 }, { tuning: 5 }, []],
    ['an entry of a map', { labels: { a: 'x', b: 'y' } }, { labels: { a: 'x', b: 'z' } }, ['', 'labels']],
    ['another key of a map', { labels: { a: 'x' } }, { labels: { b: 'x' } }, ['', 'labels']],
    ['one entry more', { labels: { a: 'x', b: 'y' } }, { labels: { a: 'x' } }, ['', 'labels']],
    ['a map that is there and empty', { labels: {} }, {}, ['', 'labels']],
    ['the order of a map', { labels: { a: 'x', b: 'y' } }, { labels: { b: 'y', a: 'x' } }, []],
    ['a default in an item of a list', { ports: [{ port: 1 }] }, { ports: [{ port: 1, protocol: 'TCP' }] }, []],
    ['an item of a list', { ports: [{ port: 1 }, { port: 2 }] }, { ports: [{ port: 1 }, { port: 3 }] }, ['', 'ports']],
    ['one item less', { ports: [{ port: 1 }] }, { ports: [{ port: 1 }, { port: 2 }] }, ['', 'ports']],
    ['a list that is none', { ports: 5 }, { ports: [] }, ['', 'ports']],
    ['a list that is there and empty', { ports: [] }, {}, ['', 'ports']],
    ['a list in place of a text', { name: ['a'] }, { name: ['a'] }, []],
    ['another list in place of a text', { name: ['a'] }, { name: ['b'] }, ['', 'name']],
    ['no object at all', 5, {}, ['']],
  ]
  for (const [what, a, b, paths] of cases) {
    t.strictSame(changed(a, b), paths, what)
    t.strictSame(changed(b, a), paths, `${what}, the other way round`)
  }
})

t.test('equality at some keys', async t => {
  const same = (a: unknown, b: unknown, ...keys: string[]) => comparison.sameAt(a, b, keys)
  t.ok(same({ labels: { a: 'x', b: 'y' } }, { labels: { a: 'x', b: 'z' } }, 'labels', 'a'))
  t.notOk(same({ labels: { a: 'x', b: 'y' } }, { labels: { a: 'x', b: 'z' } }, 'labels', 'b'))
  t.notOk(same({ labels: { a: 'x', b: 'y' } }, { labels: { a: 'x', b: 'z' } }, 'labels'))
  t.ok(same({ tuning: { threads: 4 } }, {}, 'tuning', 'threads'))
  t.notOk(same({ tuning: { threads: 5 } }, {}, 'tuning', 'threads'))
  t.ok(same({ size: 'x', name: 'a' }, { size: 'x', name: 'b' }, 'size'))
  t.notOk(same({ size: 'x', name: 'a' }, { size: 'x', name: 'b' }))
  t.notOk(same({ reference: {} }, {}, 'reference', 'name'), 'in an optional object that is absent nothing is filled in')
  t.ok(same({ other: 1 }, { other: 2 }, 'other'), 'what the schema has not is not stored')
  t.notOk(same({ tuning: { toString: 1 }, name: 'a' }, { name: 'b' }, 'name'))
  t.ok(same({}, { tuning: { threads: 4 } }, 'tuning'))
})
