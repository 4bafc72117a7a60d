import { mkdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const renewEvery = 5_000
/** Six missed renewals: the owner of the lock has ended. */
const staleAfter = 30_000

/**
 * Runs `work` while no other process does so with the same `path`.
 *
 * Only one process can create a folder, so a folder can be a lock. Its owner renews it, so no process IDs are needed, which have no meaning
 * between containers that share a cache. In the worst case (a machine that was suspended) two processes work at the same time: they repeat
 * the work, and must not damage it. @throws when the signal ends the waiting
 */
export async function withLock<Result> (
  path: string, waiting: () => void, work: () => Promise<Result>, signal?: AbortSignal,
): Promise<Result> {
  await mkdir(dirname(path), { recursive: true })
  for (let told = false; !await make(path); told = true) {
    if (!told) waiting()
    await removeStale(path)
    await delay(200, undefined, signal && { signal })
  }
  // Fails only if another process took the lock for stale, which is the worst case above.
  const renewal = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => undefined), renewEvery)
  try {
    return await work()
  } finally {
    clearInterval(renewal)
    await rm(path, { recursive: true, force: true })
  }
}

async function make (path: string): Promise<boolean> {
  try {
    await mkdir(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

async function removeStale (path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (!found || Date.now() - found.mtimeMs < staleAfter) return
  // Of several that wait, one renames it.
  const old = `${path}.stale-${process.pid}`
  if (await rename(path, old).then(() => true, () => false)) await rm(old, { recursive: true, force: true })
}
