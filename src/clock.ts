import { setImmediate } from 'node:timers/promises'

/** The only source of time for all code that talks to the API server, so that a simulation can control it. */
export interface Clock {
  /** Milliseconds of a monotonic clock: only differences are meaningful. It stops while the machine is suspended. */
  monotonic (): number
  /** The wall clock. It continues while the machine is suspended, and may be set. */
  wall (): Date
  /** Resolves when the time is over or the signal aborts. Never rejects. 0: after all other tasks that are due. */
  sleep (milliseconds: number, signal: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  monotonic: () => performance.now(),
  wall: () => new Date(),
  sleep: async (milliseconds, signal) => {
    if (signal.aborted) return
    // A timer would take at least a millisecond.
    if (milliseconds <= 0) return await setImmediate()
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, milliseconds)
    const stop = () => { resolve() }
    signal.addEventListener('abort', stop, { once: true })
    await promise
    clearTimeout(timer)
    // A signal may be used for thousands of sleeps.
    signal.removeEventListener('abort', stop)
  },
}

/** Never visible. Without it, each abort would create a DOMException with a stack trace. */
const calledOff = new Error('called off')

/** Runs something later, unless the returned function is called before. */
export function schedule ({ sleep }: Pick<Clock, 'sleep'>, milliseconds: number, run: () => void): () => void {
  const off = new AbortController()
  void sleep(milliseconds, off.signal).then(() => { if (!off.signal.aborted) run() })
  return () => { off.abort(calledOff) }
}
