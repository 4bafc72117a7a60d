import fc from 'fast-check'
import t from 'tap'
import { lookupBudget } from '../../src/admission/lookup-budget.ts'

t.test('what the API server waits for, less a margin', t => {
  for (const [timeout, budget] of [
    ['1s', 800], ['5s', 4_000], ['10s', 5_000], ['30s', 5_000], ['1m', 5_000], ['1500ms', 1_200], ['2.5s', 2_000], ['1.25s', 1_000], ['0s', 50], ['10ms', 50],
  ] as const) t.equal(lookupBudget(timeout), budget, timeout)
  t.end()
})

t.test('what is no duration counts as the default of a webhook configuration', t => {
  for (const timeout of [undefined, '', '5', 's', '-1s', '5 s', '1h', 'NaNs', '1e3s', 'Infinitys', 7, null, {}, '1sx', ['1s'], ['1s', '2s']]) t.equal(lookupBudget(timeout), 5_000, String(timeout))
  t.end()
})

t.test('a budget always ends before the API server gives up, and never later than a person would wait', t => {
  t.doesNotThrow(() => fc.assert(fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9]{1,9}(\.[0-9]{1,5})?(ms|s|m)$/)), timeout => {
    const budget = lookupBudget(timeout)
    return budget >= 50 && budget <= 5_000
  }), { numRuns: 5_000 }))
  t.doesNotThrow(() => fc.assert(fc.property(fc.integer({ min: 1, max: 30 }), seconds => lookupBudget(`${seconds}s`) <= seconds * 800)))
  t.end()
})
