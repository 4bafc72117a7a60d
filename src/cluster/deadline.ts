import { schedule, type Clock } from '../clock.ts'
import { ConnectionError } from './api-error.ts'

/** Settles like `promise`, or rejects with the reason of the signal, whichever comes first. The work itself is not stopped. */
export async function abortable<Value> (promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const aborted = Promise.withResolvers<never>()
  const stop = () => { aborted.reject(signal.reason) }
  if (signal.aborted) stop()
  else signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([promise, aborted.promise])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/**
 * Runs `work` with a signal that aborts after `timeoutMs` or with `outer`. Rejects with the reason of the abort, and not with the error
 * that the aborted work throws. `AbortSignal.any([outer, AbortSignal.timeout(ms)])` would do the same, but would leave a timer for each
 * request that ends early.
 */
export async function withDeadline<Value> (
  clock: Clock, timeoutMs: number, outer: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<Value>
): Promise<Value> {
  outer?.throwIfAborted()
  const controller = new AbortController()
  const stop = () => { controller.abort(outer?.reason) }
  outer?.addEventListener('abort', stop, { once: true })
  const inTime = schedule(clock, timeoutMs, () => { controller.abort(new ConnectionError(`no answer within ${timeoutMs} ms`, 'ETIMEDOUT')) })
  try {
    return await work(controller.signal)
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : error
  } finally {
    inTime()
    outer?.removeEventListener('abort', stop)
  }
}
