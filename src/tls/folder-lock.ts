import { rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** Milliseconds. The work takes a tenth of a second, so a process that still holds the lock after this time has died. */
const abandonedAfter = 10_000
const waitAtMost = 2 * abandonedAfter
const pause = 25

/**
 * Runs `work` while no other process does so in the same folder.
 * @throws if the folder is not writable, or if other processes hold the lock for longer than `waitAtMost`
 */
export async function withFolderLock<Value> (folder: string, work: () => Promise<Value>): Promise<Value> {
  const lock = join(folder, '.lock')
  await acquire(lock)
  try {
    return await work()
  } finally {
    await rm(lock, { force: true })
  }
}

async function acquire (lock: string): Promise<void> {
  const deadline = performance.now() + waitAtMost
  while (!await create(lock)) {
    const since = await stat(lock).then(({ mtimeMs }) => mtimeMs, () => undefined)
    if (since !== undefined && Date.now() - since > abandonedAfter) await rm(lock, { force: true })
    if (performance.now() > deadline) throw new Error(`another process holds the lock ${lock}`)
    await delay(pause)
  }
}

async function create (lock: string): Promise<boolean> {
  try {
    await writeFile(lock, `${process.pid}\n`, { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}
