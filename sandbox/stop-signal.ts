/** The signals by which a person, a supervisor or a terminal that is closed ends a program. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** The start was given up because of a signal. */
export class Stopped extends Error {}

/** Aborted by the first signal. A second one ends this process at once; what it has started ends with it. */
export function stopSignal (): AbortSignal {
  const controller = new AbortController()
  const stop = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(1)
    controller.abort(new Stopped(name))
  }
  for (const name of signals) process.on(name, stop)
  return controller.signal
}

/** Resolves when the signal is aborted. */
export const aborted = async (signal: AbortSignal): Promise<void> => {
  if (!signal.aborted) await new Promise(resolve => { signal.addEventListener('abort', resolve, { once: true }) })
}
