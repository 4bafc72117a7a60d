import { Worker } from 'node:worker_threads'

/** The name of the message to a thread. */
export interface SimulationOrder { readonly sources: ReadonlyMap<string, string>, readonly mutant: string, readonly seeds: number }

/** Whether the simulation finds a mutant within some seeds: the violation it found. */
export async function findBySimulation (order: SimulationOrder, milliseconds: number): Promise<string | undefined> {
  const worker = new Worker(new URL('simulation-worker.ts', import.meta.url), { workerData: order, stdout: true, stderr: true })
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const timer = setTimeout(() => { resolve('it hangs') }, milliseconds)
  worker.on('message', (found: { readonly found: string | undefined }) => { resolve(found.found) })
  worker.on('error', error => { resolve(`it dies: ${String(error)}`) })
  const found = await promise
  clearTimeout(timer)
  await worker.terminate()
  return found
}
