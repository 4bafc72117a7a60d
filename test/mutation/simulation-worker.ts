import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import type { SimulationOrder } from './simulate.ts'

// Judges seeds of the simulation with a mutant switched on, until one of them finds it.

const { sources, mutant, seeds } = workerData as SimulationOrder
const root = `${process.cwd()}/`

registerHooks({
  load: (url, context, next) => {
    const source = url.startsWith('file:') ? sources.get(fileURLToPath(url).replace(root, '')) : undefined
    return source === undefined ? next(url, context) : { format: 'module', source, shortCircuit: true }
  },
})
Object.assign(globalThis, { __stryker__: { activeMutant: mutant } })

const { SeedRunner } = await import('../simulation/seed-run.ts')
const runner = new SeedRunner()
let found: string | undefined
for (let seed = 1; seed <= seeds && found === undefined; seed++) {
  const [first] = (await runner.judge(seed)).violations
  if (first !== undefined) found = `seed ${seed}: ${first}`
}
parentPort?.postMessage({ found })
