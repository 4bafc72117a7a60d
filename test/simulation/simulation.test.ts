import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import t from 'tap'
import { judgeSeeds, type Judged } from './pool.ts'
import type { Scenario } from './scenario.ts'
import { judge } from './seed-run.ts'

// The reconcile loop, the election and the client over an API server in memory, with everything going wrong that can.

const seeds = Number(process.env.SIMULATION_SEEDS ?? 2_000)
/** A machine that is slow or busy does fewer of them. Milliseconds. */
const longest = process.env.SIMULATION_SEEDS === undefined ? 110_000 : Infinity
const fewest = Math.min(seeds, 150)

interface Regression { readonly says: string, readonly scenario: Scenario }
const regressions = JSON.parse(readFileSync(new URL('regressions.json', import.meta.url), 'utf8')) as readonly Regression[]

for (const { says, scenario } of regressions) {
  await t.test(says, async t => {
    t.strictSame((await judge(scenario)).violations, [])
  })
}

await t.test(`up to ${seeds} scenarios come to what they come to without faults, and nothing is lost on the way`, { timeout: 1_200_000 }, async t => {
  const began = performance.now()
  const failed: Judged[] = []
  let judged = 0
  await judgeSeeds({
    first: 1,
    seeds,
    workers: Math.min(2, availableParallelism()),
    isEnough: () => failed.length > 5 || (judged >= fewest && performance.now() - began > longest),
    onJudged: one => {
      judged++
      if (one.violations.length > 0) failed.push(one)
    },
  })
  for (const { seed, violations } of failed) t.fail(`seed ${seed}: ${violations[0]}; npm run simulate -- --seed ${seed}`)
  t.ok(judged >= fewest, `${judged} seeds, ${Math.round(judged / (performance.now() - began) * 60_000)} seeds a minute`)
})
