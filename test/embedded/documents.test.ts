import t from 'tap'
import { documentsIn, isBroken } from '../../src/embedded/documents.ts'

const seen = (text: string) => documentsIn(text).map(document => [document.line, isBroken(document) ? document.problem : document.value])

t.test('YAML: split at lines that begin with three dashes', t => {
  t.strictSame(seen(''), [])
  t.strictSame(seen('\n# nothing\n---\n---\n~\n---\nnull\n'), [])
  t.strictSame(seen('a: 1\n---\nb: 2'), [[1, { a: 1 }], [3, { b: 2 }]])
  t.strictSame(seen('---\n# one\na: 1\n--- # two\n\nb: 2\n---   \nc: 3\n'), [[3, { a: 1 }], [6, { b: 2 }], [8, { c: 3 }]])
  t.strictSame(seen('a: |\n  x\n  ---\n'), [[1, { a: 'x\n---\n' }]], 'an indented one is none')
  t.strictSame(seen('a: 1\n--- b: 2\nc: 3\n'), [[1, { a: 1 }], [2, "only a comment may follow '---' on its line"], [3, { c: 3 }]])
  t.strictSame(seen('a: 1\n...\nb: 2\n---\nc: 3\n'), [[1, { a: 1 }], [5, { c: 3 }]], 'behind dots nothing is read')
  t.strictSame(seen('  a: 1\n  b: 2\n'), [[1, { a: 1, b: 2 }]])
  t.strictSame(seen('a: 1\r\n---\r\nb: 2\r\n'), [[1, { a: 1 }], [3, { b: 2 }]])
  t.strictSame(seen('\ufeffa: 1\n'), [[1, { a: 1 }]])
  t.end()
})

t.test('an error in one document does not affect the others', t => {
  const [first, broken, last] = seen('a: 1\n---\nb: [\n---\nc: 3\n')
  t.strictSame([first, last], [[1, { a: 1 }], [5, { c: 3 }]])
  t.match(broken, [3, /must/])
  t.end()
})

t.test('JSON: object by object', t => {
  t.strictSame(seen('{"a": "}{\\"\\\\"}{"b": [{}]}\n\n  {"c": 3}\n'), [[1, { a: '}{"\\' }], [1, { b: [{}] }], [3, { c: 3 }]])
  t.strictSame(seen('{"a": 1}\n---\nb: yes\n---\n{"c": 3}\n'), [[1, { a: 1 }], [3, { b: true }], [5, { c: 3 }]])
  t.strictSame(seen('{"a": 1}  \nb: 2\n'), [[1, { a: 1 }], [2, { b: 2 }]], 'and YAML behind it')
  t.strictSame(seen('{"a": 1} \n  b: 2\n  c: 3\n'), [[1, { a: 1 }], [2, { b: 2, c: 3 }]], 'indented, too')
  t.strictSame(seen('{a: yes, b: {c: 1}}\n'), [[1, { a: true, b: { c: 1 } }]], 'YAML that looks like it')
  t.strictSame(seen('{"a": yes}\n---\nb: 1\n'), [[1, { a: true }], [3, { b: 1 }]])
  t.strictSame(seen('{"a": 1}\t\nb: 2\n'), [[1, { a: 1 }], [2, { b: 2 }]])
  t.match(seen('{"a": 1} b: 2\n'), [[1, { a: 1 }], [1, { b: 2 }]])
  t.equal(seen('[1]\n[2]\n').length, 1, 'lists do not come one after the other')
  t.match(seen('{"a": 1'), [[1, /must/]])
  t.match(seen('{"a": "1}'), [[1, /quote/]])
  t.strictSame(seen('{"a": "x\\/y\\ud83d\\ude00"}'), [[1, { a: 'x/y😀' }]], 'escapes of JSON')
  t.end()
})

t.test('lines of fields', t => {
  const lines = (text: string, ...paths: string[]) => documentsIn(text)
    .flatMap(document => isBroken(document) ? [] : paths.map(path => document.lineOf(path)))
  const yaml = '# a comment\na:\n  b: 1\n  list:\n  - x\n  - w:\n      z: 1\n  c.d: 1\n  c:\n    d: 2\n'
  t.strictSame(lines(yaml, '', 'a', 'a.b', 'a.list', 'a.list[0]', 'a.list[1].w.z', 'a.c.d', 'a.c'), [2, 2, 3, 4, 5, 7, 8, 9])
  t.strictSame(lines(yaml, 'nowhere', 'a.nowhere', 'a.b.deeper', 'a.list[7]', 'a.list.x', 'a.nowhere.deeper'), [2, 2, 3, 4, 4, 2], 'the nearest part that is there')
  t.strictSame(lines(yaml, "a['c.d']", "a['c'].d", "a['c']['nowhere']"), [8, 10, 9], 'quoted keys')
  t.strictSame(lines('x: 1\n---\n\na:\n  b: 1\n', 'a.b'), [1, 5])
  t.strictSame(lines('{\n "a": {\n  "b": 1\n }\n}\n{"a":\n1}', 'a.b', 'a'), [3, 2, 6, 6])
  t.strictSame(lines('b:\n  abc: 1\n', 'b.abcd', 'b.abc'), [1, 2], 'a key that only begins alike is another')
  t.strictSame(lines(`a:\n${'- x\n'.repeat(12)}`, 'a[9]', 'a[10]', 'a[11]', 'a[12]'), [11, 12, 13, 1], 'items beyond the tenth')
  t.strictSame(lines('a: 1\nb: 2\na: 3\n', 'a'), [3], 'of two equal keys the later counts')
  t.strictSame(lines('a: &x\n  b: 1\nc: *x\n', 'c.b'), [3], 'an alias stands where it is')
  t.end()
})

t.test('duplicate keys', t => {
  const twice = (text: string) => documentsIn(text).flatMap(document => isBroken(document) ? [] : document.duplicates())
  t.strictSame(twice('a: 1\nb:\n  c: 1\n  c: 2\na: 2\na: 3\n'), [{ key: 'c', line: 4 }, { key: 'a', line: 5 }, { key: 'a', line: 6 }])
  t.strictSame(twice('x: 1\n---\nw: 1\nw: 2\n'), [{ key: 'w', line: 4 }])
  t.strictSame(twice('a: {<<: {b: 1}, b: 2}'), [], 'a merged one is none')
  t.strictSame(twice('{"a": 1,\n"a": 2}'), [{ key: 'a', line: 2 }])
  t.strictSame(twice('{"a": 1}'), [])
  t.end()
})
