import { readFile, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { KeyPairError, type PemFiles } from './key-pair.ts'

/** A Secret holds no more than this, and a device file has no end: https://kubernetes.io/docs/concepts/configuration/secret/ */
const sizeLimit = 1024 * 1024

/** How often, and after how many milliseconds, files that change while they are read are read again. */
const attempts = 5
const pause = 20

/**
 * tls.crt, tls.key and, if it is there, ca.crt of a folder, as they stood at one moment.
 *
 * The kubelet keeps the files in a folder of their own, which the link `..data` points to, and replaces all of them by
 * renaming a new link over it. That link is followed once and all files are read from where it led; if it leads elsewhere
 * afterwards, the folder may have been on its way out, and all is read anew. Without such a link the files are read until
 * two readings are the same.
 * @throws {KeyPairError} that names the file, when one cannot be read
 */
export async function readSnapshot (directory: string): Promise<PemFiles> {
  let before: PemFiles | undefined
  let failure = new KeyPairError('tls.crt and tls.key keep changing while they are read')
  for (let attempt = 1; attempt <= attempts; attempt++) {
    try {
      const { folder, linked } = await locate(directory)
      const files = await readFolder(folder)
      const steady = linked ? (await locate(directory)).folder === folder : before !== undefined && isSame(before, files)
      if (steady) return files
      before = files
    } catch (error) {
      failure = error as KeyPairError
    }
    await delay(pause)
  }
  throw failure
}

async function locate (directory: string): Promise<{ folder: string, linked: boolean }> {
  const data = await realpath(join(directory, '..data')).catch(unlessAbsent)
  if (data !== undefined) return { folder: data, linked: true }
  const folder = await realpath(directory).catch(unlessAbsent)
  if (folder === undefined) throw new KeyPairError('the folder does not exist')
  return { folder, linked: false }
}

async function readFolder (folder: string): Promise<PemFiles> {
  const [certificate, key, ca] = await Promise.all([required(folder, 'tls.crt'), required(folder, 'tls.key'), read(folder, 'ca.crt')])
  return { certificate, key, ca }
}

async function required (folder: string, file: string): Promise<Buffer> {
  const content = await read(folder, file)
  if (content === undefined) throw new KeyPairError(`${file} does not exist`)
  return content
}

async function read (folder: string, file: string): Promise<Buffer | undefined> {
  const path = join(folder, file)
  try {
    const found = await stat(path)
    // A pipe that nobody writes to would hold up the read for ever.
    if (!found.isFile()) throw new KeyPairError(`${file} is not a file`)
    if (found.size > sizeLimit) throw new KeyPairError(`${file} is larger than ${sizeLimit} bytes`)
    return await readFile(path)
  } catch (error) {
    if (error instanceof KeyPairError) throw error
    return unlessAbsent(error as NodeJS.ErrnoException, file)
  }
}

function unlessAbsent (cause: NodeJS.ErrnoException, what = 'the folder'): undefined {
  if (cause.code === 'ENOENT') return undefined
  const denied = cause.code === 'EACCES' || cause.code === 'EPERM'
  throw new KeyPairError(`${what} cannot be read: ${denied ? 'permission denied' : cause.code ?? cause.message}`, { cause })
}

const isSame = (one: PemFiles, other: PemFiles): boolean =>
  one.certificate.equals(other.certificate) && one.key.equals(other.key) &&
  (one.ca && other.ca ? one.ca.equals(other.ca) : one.ca === other.ca)
