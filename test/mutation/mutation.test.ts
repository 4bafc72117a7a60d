import { availableParallelism } from 'node:os'
import t from 'tap'
import { mutate, scoreOf } from './mutate.ts'
import { scopes } from './scopes.ts'

// A sample of all mutants, the same one each time. `npm run mutation` tries them all.

/** Milliseconds: on a slow machine, the rest is skipped. */
const longest = 150_000
const until = performance.now() + longest

for (const scope of scopes.filter(({ sample }) => sample > 0)) {
  await t.test(`mutants of ${scope.name} are noticed`, { timeout: 2 * longest }, async t => {
    const sample = { size: scope.sample, seed: 1 }
    const results = await mutate(scope, { workers: Math.min(2, availableParallelism()), sample, until, simulates: false })
    const { byTests, matter } = scoreOf(results)
    t.ok(byTests >= scope.threshold, `${byTests.toFixed(1)} % of ${matter}, at least ${scope.threshold} % are wanted`)
  })
}
