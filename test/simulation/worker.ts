import { parentPort, workerData } from 'node:worker_threads'
import { plant } from './planting.ts'
import { plants } from './plants.ts'

const { plant: name } = workerData as { readonly plant?: string }
const found = plants.find(each => each.name === name)
if (name !== undefined && !found) throw new Error(`no plant is called '${name}'`)
if (found) plant(found)
// Only now, so that the operator is loaded with the fault.
const { SeedRunner } = await import('./seed-run.ts')

/** Runs the seeds that it receives, and answers each with the violations. */
const runner = new SeedRunner()
let work = Promise.resolve()
parentPort?.on('message', (seeds: readonly number[]) => {
  work = work.then(async () => {
    for (const seed of seeds) {
      const { violations, requests, writes, lasted } = await runner.judge(seed)
      parentPort?.postMessage({ seed, violations, requests, writes, lasted })
    }
    parentPort?.postMessage('more')
  })
})
parentPort?.postMessage('more')
