import { randomUUID, X509Certificate } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { issueCa, issueLeaf, serviceNames, type Issued } from './issue.ts'
import { withFolderLock } from './folder-lock.ts'
import { checkKeyPair } from './key-pair.ts'
import { readSnapshot } from './snapshot.ts'

export interface DevelopmentPair {
  readonly directory: string
  readonly caPem: string
}

/** Names of a development server: those of this machine, and those of the Service that a cluster would have for it. */
export const developmentNames = (service: { readonly name: string, readonly namespace: string }): string[] =>
  ['localhost', '127.0.0.1', '::1', ...serviceNames(service)]

/** Browsers reject a leaf certificate that is valid for more than 397 days. */
const leafDays = 365
const caDays = 3650
const renewBeforeDays = 30

/**
 * Writes ca.crt, ca.key, tls.crt and tls.key into a folder, unless the folder has a pair that stays valid for another month. The CA is
 * reused as long as it outlives the certificates that it signs. So users who trust the CA do not have to trust a new one. If several
 * processes call this concurrently, one creates the pair and the others use it.
 */
export async function ensureDevelopmentPair (directory: string, names: readonly string[], now = new Date()): Promise<DevelopmentPair> {
  await mkdir(directory, { recursive: true })
  const caPem = await goodCa(directory, names, now) ??
    await withFolderLock(directory, async () => await goodCa(directory, names, now) ?? await make(directory, names, now))
  return { directory, caPem }
}

/** The CA of the existing pair, if the pair has all names and no warnings, now and in `renewBeforeDays` days. */
async function goodCa (directory: string, names: readonly string[], now: Date): Promise<string | undefined> {
  try {
    const files = await readSnapshot(directory)
    checkKeyPair(files, now)
    const { certificate, ca, warnings } = checkKeyPair(files, inDays(now, renewBeforeDays))
    const leaf = new X509Certificate(certificate)
    const complete = names.every(name => leaf.checkHost(name) ?? leaf.checkIP(name))
    return complete && warnings.length === 0 ? ca?.toString() : undefined
  } catch {
    return undefined // absent or broken: it is recreated
  }
}

async function make (directory: string, names: readonly string[], now: Date): Promise<string> {
  const ca = await readCa(directory, now) ??
    await issueCa({ commonName: 'dittofs-operator development CA', days: caDays, now })
  const leaf = await issueLeaf(ca, { commonName: 'dittofs-operator development', names, days: leafDays, now })
  await replace(directory, 'ca.key', ca.key, 0o600)
  await replace(directory, 'ca.crt', ca.certificate, 0o644)
  await replace(directory, 'tls.key', leaf.key, 0o600)
  await replace(directory, 'tls.crt', leaf.certificate, 0o644)
  return ca.certificate
}

async function readCa (directory: string, now: Date): Promise<Issued | undefined> {
  try {
    const [certificate, key] = await Promise.all([readFile(join(directory, 'ca.crt')), readFile(join(directory, 'ca.key'))])
    checkKeyPair({ certificate, key }, now)
    checkKeyPair({ certificate, key }, inDays(now, leafDays))
    return new X509Certificate(certificate).ca ? { certificate: certificate.toString(), key: key.toString() } : undefined
  } catch {
    return undefined
  }
}

/** Replaces a file atomically, because another process may be reading it. */
async function replace (directory: string, name: string, content: string, mode: number): Promise<void> {
  const part = join(directory, `.${name}.${randomUUID()}`)
  try {
    await writeFile(part, content, { mode, flag: 'wx' })
    await rename(part, join(directory, name))
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}

const inDays = (from: Date, days: number) => new Date(from.getTime() + days * 24 * 3600 * 1000)
