import { mkdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const renewEvery = 5_000
/** Six renewals missed: whoever made the lock is gone. */
const staleAfter = 30_000

/**
 * Runs `work` while no other process does so under the same `path`.
 *
 * A folder is made by one process alone, so it can be a lock, and one that its maker keeps renewing needs no process ids,
 * which mean nothing between containers that share a cache. In the worst case (a machine that slept) two work at once:
 * they repeat each other's work, and must not harm it.
 */
export async function withLock<Result> (path: string, waiting: () => void, work: () => Promise<Result>): Promise<Result> {
  await mkdir(dirname(path), { recursive: true })
  for (let told = false; !await make(path); told = true) {
    if (!told) waiting()
    await removeStale(path)
    await delay(200)
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
