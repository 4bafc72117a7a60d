import { setTimeout as delay } from 'node:timers/promises'

/** Milliseconds. Leaves the processors to what is loaded. */
const pause = 10

/** Some at a time, again and again until stopped. Each says what went wrong with it, if so. */
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
