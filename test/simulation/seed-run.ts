import { scenarioOf, seedsPerStory } from './generate.ts'
import type { Scenario } from './scenario.ts'
import { Simulation, type Outcome } from './simulation.ts'

export interface Verdict {
  readonly scenario: Scenario
  /** Empty: all is well. */
  readonly violations: readonly string[]
  readonly requests: number
  readonly writes: number
  readonly lasted: number
}

export type Trace = (line: string) => void

/** Promises of a killed process never settle; those of a running process must not leak. */
const unhandled: unknown[] = []
process.on('unhandledRejection', error => { unhandled.push(error) })

async function run (simulation: Simulation): Promise<Outcome> {
  unhandled.length = 0
  const outcome = await simulation.run()
  const forgotten = unhandled.map(error => `nobody handles: ${error instanceof Error ? error.stack ?? error.message : String(error)}`)
  return { ...outcome, violations: [...outcome.violations, ...forgotten] }
}

const verdict = (scenario: Scenario, { violations, requests, writes, lasted }: Outcome, where: string): Verdict =>
  ({ scenario, violations: violations.map(text => `${where}${text}`), requests, writes, lasted })

/** One scenario, without its faults and with them. */
export async function judge (scenario: Scenario, trace?: Trace): Promise<Verdict> {
  trace?.('--- without faults ---')
  const reference = await run(new Simulation(scenario, { reference: true, ...(trace ? { trace } : {}) }))
  return await judgeBeside(scenario, reference, trace)
}

async function judgeBeside (scenario: Scenario, reference: Outcome, trace?: Trace): Promise<Verdict> {
  if (reference.violations.length > 0) return verdict(scenario, reference, 'without faults: ')
  trace?.('--- with faults ---')
  return verdict(scenario, await run(new Simulation(scenario, { reference: false, expected: reference, ...(trace ? { trace } : {}) })), '')
}

/** Seeds one after the other; those of one story share its reference. */
export class SeedRunner {
  #story = NaN
  #reference: Outcome | undefined

  async judge (seed: number): Promise<Verdict> {
    const scenario = scenarioOf(seed)
    const story = Math.floor(seed / seedsPerStory)
    if (this.#story !== story || !this.#reference) {
      this.#reference = await run(new Simulation(scenario, { reference: true }))
      this.#story = story
    }
    return await judgeBeside(scenario, this.#reference)
  }
}
