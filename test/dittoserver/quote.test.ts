import t from 'tap'
import { cut, plain, quote } from '../../src/dittoserver/quote.ts'

t.test('a user value in a message', async t => {
  const cases: readonly [unknown, string][] = [
    ['a', "'a'"], ['', "''"], [7, "'7'"], [true, "'true'"], [null, "'null'"], [undefined, "'undefined'"],
    [[], "'[]'"], [[1], "'[…]'"], [{}, "'{…}'"], [{ a: 1 }, "'{…}'"],
    ["it's", "'it\\u{27}s'"], ['a\nb\tc', "'a\\u{a}b\\u{9}c'"], ['\u202ex\u2028y\u2029\u200b', "'\\u{202e}x\\u{2028}y\\u{2029}\\u{200b}'"],
    ['\ud800', "'\\u{d800}'"], ['é 漢 😀', "'é 漢 😀'"],
    ['x'.repeat(64), `'${'x'.repeat(64)}'`], ['x'.repeat(65), `'${'x'.repeat(63)}…'`],
  ]
  for (const [value, text] of cases) t.equal(quote(value), text)
})

t.test('a long text is cut at the maximum length, never inside a character', async t => {
  t.equal(cut('abc', 3), 'abc')
  t.equal(cut('abcd', 3), 'ab…')
  t.equal(cut('😀😀😀', 3), '😀😀😀', 'a character may have two code units')
  t.equal(cut('😀😀😀😀', 3), '😀😀…')
  t.equal(cut('a😀😀😀😀', 3), 'a😀…')
  t.equal(cut('ab😀', 3), 'ab😀')
  t.equal(cut('x'.repeat(1_000_000), 3), 'xx…')
})

t.test('plain text is not changed', async t => {
  t.equal(plain('spec.a[b] / é'), 'spec.a[b] / é')
  t.equal(plain('a\u001b[31m'), 'a\\u{1b}[31m')
})
