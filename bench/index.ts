import { fork } from 'node:child_process'
import { once } from 'node:events'
import { cpus, release, totalmem } from 'node:os'
import { table, type Figure } from './figures.ts'

/**
 * Runs all benches one after the other and prints one table of the results. Each bench is smaller than if it is run alone. The run takes
 * less than 20 minutes. It fails if one bench fails; a missed goal is not a failure.
 * usage: node bench/index.ts
 */
const benches: readonly (readonly [name: string, ...args: string[]])[] = [
  ['webhook'],
  ['admission', '3', '3000'],
  ['reconcile', '300'],
  ['scale', '1000', '5000'],
  ['rollout', '6', '3'],
  ['playground'],
]
/** The time limit of one bench, in milliseconds. */
const patience = 6 * 60_000

async function figuresOf ([name, ...args]: readonly [string, ...string[]]): Promise<readonly Figure[]> {
  process.stdout.write(`\n== bench/${name} ${args.join(' ')}\n`)
  const child = fork(new URL(`${name}/index.ts`, import.meta.url), args)
  let figures: readonly Figure[] = []
  child.on('message', message => { figures = message as readonly Figure[] })
  const timer = setTimeout(() => child.kill('SIGTERM'), patience)
  const [code] = await once(child, 'exit') as [number | null]
  clearTimeout(timer)
  if (code !== 0) {
    process.stdout.write(`bench/${name} ${code === null ? 'took too long' : `ended with ${code}`}\n`)
    process.exitCode = 1
  }
  return figures
}

const started = performance.now()
const all: Figure[] = []
for (const bench of benches) all.push(...await figuresOf(bench))
const [cpu] = cpus()
process.stdout.write(`\n${cpus().length} × ${cpu?.model ?? 'unknown processor'}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Linux ${release()}, ` +
  `Node ${process.version}; ${((performance.now() - started) / 60_000).toFixed(0)} minutes\n\n${table(all)}\n`)
