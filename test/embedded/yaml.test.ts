import t from 'tap'
import { documentsIn, isBroken } from '../../src/embedded/documents.ts'
import { collections, refused, scalars } from './yaml-values.ts'

// test/e2e/check.test.ts asks the real kubectl about the same tables.

function read (yaml: string): unknown {
  const [document] = documentsIn(yaml)
  return document && !isBroken(document) ? document.value : undefined
}
const problem = (yaml: string) => documentsIn(yaml).map(document => isBroken(document) ? document.problem : '').join('')

t.test('plain scalars', t => {
  for (const [text, value] of scalars) t.strictSame(read(`v: ${text}\n`), { v: typeof value === 'bigint' ? Number(value) : value }, text)
  t.equal(Object.is((read('v: -0') as { v: number }).v, 0), true, 'no minus zero')
  t.end()
})

t.test('maps and lists', t => {
  for (const [text, value] of collections) t.strictSame(read(`v: ${text}\n`), { v: value }, text)
  t.strictSame(read('v: !!merge <<'), { v: '<<' }, 'what merges nothing is a text')
  t.strictSame(read('v: {!!merge "<<": 1}'), { v: { '<<': 1 } })
  t.ok(Object.hasOwn((read('v: {__proto__: 1}') as { v: object }).v, '__proto__'))
  t.end()
})

t.test('documents that kubectl refuses', t => {
  for (const [text, message] of refused) t.match(problem(text), message, text)
  t.equal(problem('{<<}'), "'<<' merges maps only")
  t.strictSame(read('v: "a\\\\/b"'), { v: 'a\\/b' }, 'a backslash and a slash')
  t.strictSame(read('v: "\\ue000"'), { v: '\ue000' })
  t.end()
})

t.test('limits of expansion', t => {
  const levels = (width: number, count: number) => Array.from({ length: count }, (_, level) => `l${level + 1}: &l${level + 1} [${new Array(width).fill(`*l${level}`).join()}]`)
  t.equal(problem(`l0: &l0 [x]\n${levels(10, 12).join('\n')}\n`), 'aliases expand to too many nodes')
  t.equal(problem(`l0: &l0 [x]\n${levels(10, 4).join('\n')}\n`), '', 'some are fine')
  const many = new Array(1_000)
  const aliases = (count: number) => `a: &a [${new Array(1_000).fill('x').join()}]\nb: [${new Array(count).fill('*a').join()}]\n`
  t.equal(problem(aliases(400)), '')
  t.equal(problem(aliases(401)), 'aliases expand to too many nodes')
  const layers = (count: number) => `a: &a [${new Array(1_000).fill('x').join()}]\nb: &b [${new Array(10).fill('*a').join()}]\nc: [${new Array(count).fill('*b').join()}]\n`
  t.equal(problem(layers(38)), '')
  t.equal(problem(layers(39)), 'aliases expand to too many nodes', 'what an alias stands for counts where its own list is aliased')
  t.equal(problem(`a: [${many.fill('x').join()}]\nb: &b y\nc: [${many.fill('*b').join()}]\n`), '', 'an alias stands for what is anchored alone')
  const nested = (depth: number) => `${'['.repeat(depth)}1${']'.repeat(depth)}`
  t.equal(problem(`v: ${nested(5_000)}`), 'nested too deeply')
  t.equal(problem(`v: ${nested(999)}`), 'nested too deeply')
  t.equal(problem(`v: ${nested(998)}`), '')
  t.equal(problem(`{"v": ${nested(1_000)}}`), 'nested too deeply')
  t.equal(problem(`{"v": ${nested(999)}}`), '')
  t.equal(problem(`a: &a ${nested(400)}\nb: &b ${nested(400).replace('1', '*a')}\nc: ${nested(400).replace('1', '*b')}\n`), 'nested too deeply', 'by aliases')
  t.equal(problem(`a: &a ${nested(400)}\nb: ${nested(599).replace('1', '*a')}\n`), 'nested too deeply')
  t.equal(problem(`a: &a ${nested(400)}\nb: ${nested(598).replace('1', '*a')}\n`), '')
  t.equal(problem(`a: &a ${nested(400)}\nb: &b ${nested(400)}\nc: ${nested(400).replace('1', '*b')}\n`), '')
  t.end()
})
