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

t.test('whatever comes, it fits', t => {
  const text = fc.oneof({ weight: 3, arbitrary: fc.string({ unit: 'grapheme', maxLength: 60 }) }, fc.string({ minLength: 200, maxLength: 400, unit: 'binary' }), fc.constant('💾'.repeat(256)))
  t.doesNotThrow(() => fc.assert(fc.property(fc.array(text, { maxLength: 120 }), warnings => {
    const fitted = fitWarnings(warnings)
    const distinct = new Set(warnings).size
    const total = fitted.reduce((sum, warning) => sum + runes(warning), 0)
    const note = /^and ([0-9]+) more warnings$/.exec(fitted.at(-1) ?? '')
    const told = note ? fitted.length - 1 + Number(note[1]) : fitted.length
    return fitted.every(warning => runes(warning) <= truncatedAbove) && total <= droppedAbove && told === distinct
  }), { numRuns: 2_000 }))
  t.end()
})
