import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { searchAll, told } from './plant-search.ts'
import { plants } from './plants.ts'
import { judgeSeeds, type Judged } from './pool.ts'
import { judge } from './seed-run.ts'
import { scenarioOf } from './generate.ts'
import { shrink } from './shrink.ts'

// npm run simulate -- --seeds N [--seed S]: many scenarios, each determined by its seed. A single seed is reported in full.
// With --minutes M, no more are begun after that time; with --keep-going, a failure does not end the run.
// npm run simulate -- --plant NAME|all [--seeds N]: plants a fault in the operator and searches for a seed that finds it.

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    seed: { type: 'string' },
    plant: { type: 'string' },
    workers: { type: 'string' },
    trace: { type: 'boolean' },
    'keep-going': { type: 'boolean' },
    minutes: { type: 'string' },
  },
})
const say = (line: string) => { process.stdout.write(`${line}\n`) }
const first = Number(values.seed ?? 1)
const seeds = Number(values.seeds ?? (values.seed === undefined ? 2_000 : 1))
const workers = Number(values.workers ?? availableParallelism())
const longest = Number(values.minutes ?? Infinity) * 60_000
const shrinkingTime = 120_000

async function one (seed: number): Promise<boolean> {
  const lines: string[] = []
  const { violations, lasted } = await judge(scenarioOf(seed), line => { lines.push(line) })
  if (values.trace || violations.length > 0) lines.forEach(say)
  if (violations.length === 0) {
    say(`seed ${seed}: as it must be, ${Math.round(lasted / 1000)} s of virtual time`)
    return true
  }
  say(`seed ${seed} fails:\n  ${violations.join('\n  ')}\n\nlooking for less that fails too ...`)
  const least = await shrink(scenarioOf(seed), async scenario => (await judge(scenario)).violations.length > 0, shrinkingTime)
  const { violations: left } = await judge(least)
  say(`${JSON.stringify(least)}\n  ${left.join('\n  ')}`)
  say('It can be kept in test/simulation/regressions.json.')
  return false
}

async function many (): Promise<boolean> {
  const began = performance.now()
  const failed: Judged[] = []
  const total = { seeds: 0, requests: 0, writes: 0, lasted: 0 }
  await judgeSeeds({
    first,
    seeds,
    workers,
    isEnough: () => (failed.length > 0 && values['keep-going'] !== true) || performance.now() - began > longest,
    onJudged: judged => {
      total.seeds++
      total.requests += judged.requests
      total.writes += judged.writes
      total.lasted += judged.lasted
      if (judged.violations.length > 0) {
        failed.push(judged)
        if (values['keep-going']) say(`seed ${judged.seed}: ${judged.violations[0] ?? ''}`)
      }
      if (total.seeds % 10_000 === 0) say(`${total.seeds} seeds`)
    },
  })
  const minutes = (performance.now() - began) / 60_000
  say(`${total.seeds} seeds, ${failed.length} failed, ${Math.round(total.seeds / minutes)} a minute: ${Math.round(total.lasted / 3_600_000)} hours of virtual time, ${total.requests} requests, ${total.writes} writes`)
  const worst = failed.toSorted((a, b) => a.seed - b.seed)[0]
  return worst === undefined || (values['keep-going'] ? false : await one(worst.seed))
}

async function planted (name: string): Promise<boolean> {
  const wanted = name === 'all' ? plants : plants.filter(plant => plant.name.includes(name))
  if (wanted.length === 0) throw new Error(`no plant is called '${name}'`)
  const missed: string[] = []
  await searchAll(wanted, Number(values.seeds ?? 2_000), workers, search => {
    say(told(search))
    if (!search.found) missed.push(search.plant)
  })
  say(`${wanted.length - missed.length} of ${wanted.length} found`)
  return missed.length === 0
}

process.exitCode = await (values.plant !== undefined ? planted(values.plant) : seeds === 1 ? one(first) : many()) ? 0 : 1
