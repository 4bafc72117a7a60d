import { setTimeout as delay } from 'node:timers/promises'

/** Milliseconds. Leaves CPU time for the program under load. */
const pause = 10

/** Runs several tasks concurrently and repeatedly until it is stopped. Each task returns its error, if any. */
export function constantLoad (workers: number, send: () => Promise<string | undefined>) {
  const stopping = new AbortController()
  let sent = 0
  const failures: string[] = []
  const work = async () => {
    while (!stopping.signal.aborted) {
      const failure = await send().catch((error: unknown) => String(error))
      sent++
      if (failure !== undefined) failures.push(`${new Date().toISOString()} ${failure}`)
      await delay(pause)
    }
  }
  const working = Array.from({ length: workers }, work)
  return {
    sent: () => sent,
    failures: (): readonly string[] => failures,
    stop: async () => {
      stopping.abort()
      await Promise.all(working)
    },
  }
}
