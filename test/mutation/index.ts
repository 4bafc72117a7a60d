import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import type { Mutant } from './instrument.ts'
import { isNoticed, keyOf, mutate, scoreOf, type Result } from './mutate.ts'
import { scopes } from './scopes.ts'

// npm run mutation [-- --scope NAME] [--simulate] [--sample N --seed S] [--minutes N] [--report FILE] [--again FILE]
// Small faults, one at a time. Tests must notice.

const { values } = parseArgs({
  options: {
    scope: { type: 'string' },
    workers: { type: 'string' },
    sample: { type: 'string' },
    seed: { type: 'string' },
    simulate: { type: 'boolean' },
    report: { type: 'string' },
    again: { type: 'string' },
    minutes: { type: 'string' },
  },
})
const say = (line: string) => { process.stdout.write(`${line}\n`) }
const isUnnoticed = ({ outcome }: Pick<Result, 'outcome'>) => outcome === 'survived' || outcome === 'untested'
const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ').slice(0, 100)

function tell ({ mutant: { file, line, mutator, original, replacement }, outcome }: Result): string {
  return `${outcome} ${file}:${line} ${mutator}: ${oneLine(original)} → ${oneLine(replacement)}`
}

type Reported = Mutant & Omit<Result, 'mutant'>
const reports = values.again === undefined ? [] : JSON.parse(readFileSync(values.again, 'utf8')) as readonly Reported[]
const byKey = Map.groupBy(reports.filter(({ outcome }) => outcome !== 'untried'), keyOf)
const earlier = (mutant: Mutant) => {
  // A line may occur twice in a file: then both of its mutants must have been detected.
  const found = (byKey.get(keyOf(mutant)) ?? []).toSorted((a, b) => Number(isNoticed(a)) - Number(isNoticed(b)))
  return found.map(({ outcome, by }) => ({ outcome, ...(by === undefined ? {} : { by }) }))[0]
}

let failed = false
const all: Result[] = []
for (const scope of scopes.filter(({ name }) => values.scope === undefined || name === values.scope)) {
  const began = performance.now()
  const results = await mutate(scope, {
    workers: Number(values.workers ?? availableParallelism()),
    simulates: values.simulate === true,
    onResult: result => { if (isUnnoticed(result)) say(tell(result)) },
    earlier,
    ...(values.minutes === undefined ? {} : { until: began + Number(values.minutes) * 60_000 }),
    ...(values.sample === undefined ? {} : { sample: { size: Number(values.sample), seed: Number(values.seed ?? 1) } }),
  })
  all.push(...results)
  const { byTests, whole, matter } = scoreOf(results)
  const seconds = Math.round((performance.now() - began) / 1000)
  const simulated = values.simulate ? `, ${whole.toFixed(1)} % together with the simulation` : ''
  const counted = (...outcomes: readonly Result['outcome'][]) => results.filter(({ outcome }) => outcomes.includes(outcome)).length
  const hung = counted('hung') > 0 ? ` (${counted('hung')} by a test that did not end)` : ''
  const equivalent = `${counted('equivalent')} are equivalent`
  const untried = counted('untried') > 0 ? `, ${counted('untried')} were not tried` : ''
  say(`${scope.name}: ${byTests.toFixed(1)} % of ${matter} mutants noticed by tests${hung}${simulated}; ${equivalent}${untried}; ${seconds} s`)
  failed ||= byTests < scope.threshold
}
const reported: Reported[] = all.map(({ mutant, ...rest }) => ({ ...mutant, ...rest }))
if (values.report !== undefined) writeFileSync(values.report, JSON.stringify(reported, null, 1))
process.exit(failed ? 1 : 0)
