/** Ctrl-C, or a request to end: `signal` aborts, so that a command can leave the terminal as it was. `off` restores the default. */
export function onInterrupt () {
  const controller = new AbortController()
  const stop = () => { controller.abort() }
  const names = ['SIGINT', 'SIGTERM'] as const
  for (const name of names) process.once(name, stop)
  return { signal: controller.signal, off: () => { for (const name of names) process.off(name, stop) } }
}
