import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { withLock } from '../control-plane/lock.ts'
import type { Test } from 'tap'

/**
 * Holds a lock of this machine until the test ends. Pods share the host's network, so of programs with fixed ports only one may
 * run, whichever test, checkout or user starts it.
 */
export async function holdMachineLock (t: Pick<Test, 'teardown'> & { comment: (text: string) => void }, name: string): Promise<void> {
  const { promise: held, resolve: onHeld, reject } = Promise.withResolvers<undefined>()
  const { promise: over, resolve: release } = Promise.withResolvers<undefined>()
  const path = join(tmpdir(), `${name}.lock`)
  const waiting = new AbortController()
  const holding = withLock(path, () => { t.comment(`waiting for ${path}`) }, async () => {
    onHeld(undefined)
    await over
  }, waiting.signal)
  holding.catch(reject)
  t.teardown(async () => {
    release(undefined)
    waiting.abort()
    await holding.catch(() => {}) // reported to the caller
  })
  await held
}
