import fc from 'fast-check'
import t from 'tap'
import { fitWarnings, longestWarning } from '../../src/admission/warnings.ts'

/** The API server's own limits: k8s.io/apiserver/pkg/endpoints/filters/warning.go */
const truncatedAbove = 256
const droppedAbove = 4096

const runes = (text: string) => [...text].length

t.test('few and short ones pass as they are, each once', t => {
  t.strictSame(fitWarnings([]), [])
  t.strictSame(fitWarnings(['a', 'b', 'a']), ['a', 'b'])
  t.strictSame(fitWarnings(['💾'.repeat(256)]), ['💾'.repeat(256)], 'counted in runes')
  t.end()
})

t.test('a long one is cut between characters', t => {
  const [cut = ''] = fitWarnings(['💾'.repeat(300)])
  t.equal(runes(cut), longestWarning)
  t.equal(cut, `${'💾'.repeat(255)}…`)
  t.end()
})

t.test('what does not fit is counted', t => {
  const fitted = fitWarnings(Array.from({ length: 100 }, (_, i) => `${i} ${'x'.repeat(200)}`))
  const shown = fitted.length - 1
  t.equal(fitted.at(-1), `and ${100 - shown} more warnings`)
  t.ok(shown >= 15, `${shown} are shown`)
  t.end()
})

t.test('the budget is used to its last character, with room for the count', t => {
  const long = (length: number, letter: string) => letter.repeat(length)
  // 14 of 256, and one of 216: 3,800 of 3,840, and 40 are kept for the count.
  const most = [...Array.from({ length: 14 }, (_, i) => long(256, String.fromCharCode(97 + i))), long(216, 'y')]
  t.strictSame(fitWarnings(most), most)
  t.strictSame(fitWarnings([...most, 'z']), [...most, 'and 1 more warning'])
  t.strictSame(fitWarnings([...most.slice(0, 14), long(217, 'y')]), [...most.slice(0, 14), 'and 1 more warning'])
  t.end()
})

t.test('whatever comes, it fits', t => {
  const text = fc.oneof({ weight: 3, arbitrary: fc.string({ unit: 'grapheme', maxLength: 60 }) }, fc.string({ minLength: 200, maxLength: 400, unit: 'binary' }), fc.constant('💾'.repeat(256)))
  t.doesNotThrow(() => fc.assert(fc.property(fc.array(text, { maxLength: 120 }), warnings => {
    const fitted = fitWarnings(warnings)
    const distinct = new Set(warnings).size
    const total = fitted.reduce((sum, warning) => sum + runes(warning), 0)
    const note = /^and ([0-9]+) more warnings?$/.exec(fitted.at(-1) ?? '')
    const told = note ? fitted.length - 1 + Number(note[1]) : fitted.length
    return fitted.every(warning => runes(warning) <= truncatedAbove) && total <= droppedAbove && told === distinct
  }), { numRuns: 2_000 }))
  t.end()
})
