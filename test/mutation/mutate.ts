import { readFileSync } from 'node:fs'
import { Chance } from '../simulation/random.ts'
import { instrument, type Mutant } from './instrument.ts'
import { ModuleGraph } from './module-graph.ts'
import { Runner, type Loaded } from './runner.ts'
import { sourceOf, testsOf, type Scope } from './scopes.ts'
import { findBySimulation } from './simulate.ts'

export interface Result {
  readonly mutant: Mutant
  /** `untested`: no test reaches it. `untried`: there was no time for it. */
  readonly outcome: 'killed' | 'hung' | 'survived' | 'untested' | 'equivalent' | 'simulated' | 'untried'
  readonly by?: string
}

export interface MutateOptions {
  readonly workers: number
  /** So many mutants, chosen by the seed; undefined: all. */
  readonly sample?: { readonly size: number, readonly seed: number }
  /** The results of an earlier run: detected mutants are skipped, and undetected ones run first. */
  readonly earlier?: (mutant: Mutant) => Omit<Result, 'mutant'> | undefined
  /** Nothing is begun after this moment of performance.now(). */
  readonly until?: number
  readonly simulates: boolean
  readonly onResult?: (result: Result) => void
}

/** `within`: the source line, where the same change elsewhere in the file matters. */
interface Equivalent extends Pick<Mutant, 'file' | 'original' | 'replacement'> { readonly within?: string, readonly why: string }
const equivalents = JSON.parse(readFileSync(new URL('equivalent.json', import.meta.url), 'utf8')) as readonly Equivalent[]
/** Lines shift, so their numbers are not compared. */
const fields = ['file', 'within', 'original', 'replacement'] as const
type Change = Pick<Mutant, typeof fields[number]>
export const keyOf = (change: Change) => JSON.stringify(fields.map(field => change[field]))
const isEquivalent = (mutant: Mutant) =>
  equivalents.some(each => keyOf({ ...each, within: each.within ?? mutant.within }) === keyOf(mutant))

/** Duration of a test file without a mutant, in milliseconds, and its result. */
interface Dry { readonly file: string, readonly took: number, readonly covers: ReadonlySet<string> }

export const isNoticed = ({ outcome }: Pick<Result, 'outcome'>) => outcome === 'killed' || outcome === 'hung'

/** Runs all mutants of a scope, or a sample, against the tests that reach them. @throws if a test fails without a mutant */
export async function mutate (scope: Scope, options: MutateOptions): Promise<Result[]> {
  const { workers, sample, earlier = () => undefined, until = Infinity, simulates, onResult } = options
  const files = sourceOf(scope)
  const { sources, mutants } = await instrument(files)
  // In random order, so that an interrupted run is a fair sample too.
  const chosen = drawn(mutants, sample ?? { size: mutants.length, seed: 1 }).map(mutant => ({ mutant, found: earlier(mutant) }))
  const fresh = new ModuleGraph().reaching(testsOf(scope), new Set(files))
  const loaded: Loaded = { sources, fresh, ...(scope.mostHits === undefined ? {} : { mostHits: scope.mostHits }) }
  const dry = await dryRun(loaded, testsOf(scope))
  const results = chosen.flatMap(({ mutant, found }): Result[] => found && isNoticed(found) ? [{ mutant, ...found }] : [])
  const rest = chosen.filter(({ found }) => !found || !isNoticed(found))
  const left = [...rest.filter(({ found }) => found), ...rest.filter(({ found }) => !found)].map(({ mutant }) => mutant)
  await Promise.all(Array.from({ length: workers }, async () => {
    const runner = new Runner(loaded)
    while (performance.now() < until) {
      const mutant = left.shift()
      if (!mutant) break
      const result = await tried(mutant, { dry, runner, sources, seeds: simulates ? scope.seeds ?? 0 : 0 })
      results.push(result)
      onResult?.(result)
    }
    await runner.stop()
  }))
  return [...results, ...left.map((mutant): Result => ({ mutant, outcome: 'untried' }))]
}

async function dryRun (loaded: Loaded, tests: readonly string[]): Promise<Dry[]> {
  const runner = new Runner(loaded)
  const dry: Dry[] = []
  // The first one loads the shared modules.
  await runner.carryOut({ mutant: undefined, tests: tests.slice(0, 1) }, () => 300_000)
  const whyOf = (answer: Awaited<ReturnType<Runner['carryOut']>>) => typeof answer === 'string' ? answer : answer.killed?.why
  for (const file of tests) {
    const began = performance.now()
    const answer = await runner.carryOut({ mutant: undefined, tests: [file] }, () => 300_000)
    if (typeof answer === 'string' || answer.killed) throw new Error(`${file} fails without a mutant: ${whyOf(answer) ?? ''}`)
    dry.push({ file, took: performance.now() - began, covers: new Set(answer.covered.get(file)) })
  }
  await runner.stop()
  return dry.sort((a, b) => a.took - b.took)
}

function drawn (mutants: readonly Mutant[], { size, seed }: { readonly size: number, readonly seed: number }): Mutant[] {
  const chance = new Chance(seed)
  const left = [...mutants]
  return Array.from({ length: Math.min(size, left.length) }, () => left.splice(chance.int(0, left.length - 1), 1)).flat()
}

interface Trial {
  readonly dry: readonly Dry[]
  readonly runner: Runner
  readonly sources: ReadonlyMap<string, string>
  readonly seeds: number
}

async function tried (mutant: Mutant, { dry, runner, sources, seeds }: Trial): Promise<Result> {
  if (isEquivalent(mutant)) return { mutant, outcome: 'equivalent' }
  const covering = dry.filter(({ covers }) => covers.has(mutant.id))
  if (covering.length > 0) {
    const usual = new Map(covering.map(({ file, took }) => [file, took]))
    const answer = await runner.carryOut({ mutant: mutant.id, tests: [...usual.keys()] }, file => 10_000 + 5 * (usual.get(file) ?? 0))
    if (typeof answer === 'string') return { mutant, outcome: 'hung' }
    if (answer.killed) return { mutant, outcome: 'killed', by: answer.killed.by }
  }
  const found = seeds > 0 ? await findBySimulation({ sources, mutant: mutant.id, seeds }, seeds * 20_000) : undefined
  if (found !== undefined) return { mutant, outcome: 'simulated', by: found }
  return { mutant, outcome: covering.length > 0 ? 'survived' : 'untested' }
}

/** Percent of the mutants that matter and were tried. */
export function scoreOf (results: readonly Result[]): { readonly byTests: number, readonly whole: number, readonly matter: number } {
  const matter = results.filter(({ outcome }) => outcome !== 'equivalent' && outcome !== 'untried')
  const share = (...outcomes: readonly Result['outcome'][]) =>
    matter.length === 0 ? 100 : 100 * matter.filter(({ outcome }) => outcomes.includes(outcome)).length / matter.length
  return { byTests: share('killed', 'hung'), whole: share('killed', 'hung', 'simulated'), matter: matter.length }
}
