import { Worker } from 'node:worker_threads'
import { seedsPerStory } from './generate.ts'

export interface Judged {
  readonly seed: number
  readonly violations: readonly string[]
  readonly requests: number
  readonly writes: number
  readonly lasted: number
}

export interface PoolOptions {
  readonly first: number
  readonly seeds: number
  readonly workers: number
  /** Only the first seed of each story: more user actions, and fewer faults. */
  readonly onePerStory?: boolean
  /** A fault in the operator: its name in plants.ts. */
  readonly plant?: string
  readonly onJudged: (judged: Judged) => void
  /** No more seeds are begun. */
  readonly isEnough: () => boolean
}

/** Judges many seeds on several threads. Rejects when a thread dies. */
export async function judgeSeeds ({ first, seeds, workers, plant, onePerStory = false, onJudged, isEnough }: PoolOptions): Promise<void> {
  let next = first
  const end = first + seeds
  const batch = () => {
    if (isEnough()) return []
    const from = next
    // Up to the end of a story, so that no other thread needs its reference.
    next = Math.min(end, (Math.floor(next / seedsPerStory) + 1) * seedsPerStory)
    return Array.from({ length: onePerStory ? Math.min(1, next - from) : next - from }, (_, offset) => from + offset)
  }
  await Promise.all(Array.from({ length: workers }, async () => {
    const worker = new Worker(new URL('worker.ts', import.meta.url), { workerData: { plant } })
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    worker.on('error', reject)
    worker.on('message', (message: 'more' | Judged) => {
      if (message !== 'more') return onJudged(message)
      const wanted = batch()
      if (wanted.length === 0) resolve()
      else worker.postMessage(wanted)
    })
    await promise.finally(async () => { await worker.terminate() })
  }))
}
