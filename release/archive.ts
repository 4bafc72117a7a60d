import { create } from 'tar'

/** The time of every entry, instead of the time when it was written. */
const mtime = new Date('1980-01-01T00:00:00Z')

/** A tar.gz whose bytes depend only on the files. `files`: relative to `cwd`. */
export async function archive (file: string, cwd: string, files: readonly string[]): Promise<void> {
  // Not folders, because the order of their entries depends on the file system.
  await create({ file, cwd, portable: true, mtime, gzip: { level: 9 } }, [...files].sort())
}
