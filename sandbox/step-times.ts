import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheRoot } from '../test/control-plane/binaries.ts'

/** How long each step took, in milliseconds, by its name. */
export type StepTimes = Readonly<Record<string, number>>

const file = () => join(cacheRoot(), 'sandbox-times.json')

/** Those of the last start. Empty: this is the first one. */
export async function readTimes (): Promise<StepTimes> {
  try {
    return JSON.parse(await readFile(file(), 'utf8')) as StepTimes
  } catch {
    return {}
  }
}

export async function writeTimes (times: StepTimes): Promise<void> {
  await mkdir(cacheRoot(), { recursive: true })
  await writeFile(file(), JSON.stringify(times))
}

/**
 * The share of the work that is done, and the seconds that are left, by the times of the last start. Undefined: there is a step of which no
 * time is known.
 */
export function forecast (
  last: StepTimes, steps: readonly string[], current: string, elapsed: number,
): { readonly share: number, readonly secondsLeft: number } | undefined {
  const times = steps.map(step => last[step])
  if (times.some(time => time === undefined)) return undefined
  const sum = (some: readonly (number | undefined)[]) => some.reduce<number>((total, time) => total + (time ?? 0), 0)
  const at = steps.indexOf(current)
  const rest = Math.max(0, (times[at] ?? 0) - elapsed) + sum(times.slice(at + 1))
  const total = Math.max(1, sum(times))
  return { share: 1 - rest / total, secondsLeft: Math.ceil(rest / 1000) }
}
