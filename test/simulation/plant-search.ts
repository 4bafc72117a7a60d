import { seedsPerStory } from './generate.ts'
import { judgeSeeds } from './pool.ts'
import type { Plant } from './plants.ts'

export interface Search {
  readonly plant: string
  /** Undefined: no seed found it. */
  readonly found: { readonly seed: number, readonly check: string } | undefined
  readonly seeds: number
  readonly seconds: number
}

/** Runs seeds until one finds the fault. The seed that is known to find it comes first. */
export async function search ({ name, seed = 1 }: Plant, most: number): Promise<Search> {
  const began = performance.now()
  let found: Search['found']
  let seeds = 0
  await judgeSeeds({
    first: seed,
    seeds: most * seedsPerStory,
    onePerStory: true,
    workers: 1,
    plant: name,
    isEnough: () => found !== undefined,
    onJudged: judged => {
      seeds++
      const [check] = judged.violations
      if (check !== undefined) found ??= { seed: judged.seed, check: check.replace(/^(without faults: )?[0-9.]+ s: /, '$1').split('\n').slice(0, 2).map(line => line.trim()).join(' ') }
    },
  })
  return { plant: name, found, seeds, seconds: (performance.now() - began) / 1000 }
}

/** Each fault, `workers` of them at once. */
export async function searchAll (
  plants: readonly Plant[], most: number, workers: number, onSearched: (search: Search) => void,
): Promise<void> {
  const left = [...plants]
  await Promise.all(Array.from({ length: workers }, async () => {
    for (let next = left.shift(); next; next = left.shift()) onSearched(await search(next, most))
  }))
}

export function told ({ plant, found, seeds }: Search): string {
  return `${plant}: ${found ? `seed ${found.seed}, of ${seeds} that were tried: ${found.check.slice(0, 160)}` : `NOT FOUND in ${seeds} seeds`}`
}
