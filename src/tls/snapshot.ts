import { readFile, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { KeyPairError, type PemFiles } from './key-pair.ts'

/** The maximum size of a Secret. Larger files are not read. https://kubernetes.io/docs/concepts/configuration/secret/ */
const sizeLimit = 1024 * 1024

/** The number of attempts, and the milliseconds between them, if files change while they are read or if a read fails. */
const attempts = 5
const pause = 20

/**
 * A consistent snapshot of tls.crt, tls.key and, if it exists, ca.crt of a folder.
 *
 * The kubelet keeps the files in a separate folder that the symbolic link `..data` points to. It replaces all files at once by renaming a
 * new link over the old one. This function resolves the link once and reads all files from its target. If the link has another target
 * afterwards, the kubelet may have deleted the old folder during the read, so all files are read again. In a folder without this link, the
 * files are read until two consecutive reads return the same content.
 * @throws {KeyPairError} if a file cannot be read; the message names the file
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
    // A read from a pipe without a writer would never end.
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
