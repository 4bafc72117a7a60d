import { randomUUID, X509Certificate } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { issueAuthority, issueLeaf, serviceNames, type Issued } from './authority.ts'
import { withFolderLock } from './folder-lock.ts'
import { checkKeyPair } from './key-pair.ts'
import { readSnapshot } from './snapshot.ts'

export interface DevelopmentPair {
  readonly directory: string
  readonly caPem: string
}

/** Names of a development server: this machine, and the Service that it would be behind in a cluster. */
export const developmentNames = (service: { readonly name: string, readonly namespace: string }): string[] =>
  ['localhost', '127.0.0.1', '::1', ...serviceNames(service)]

/** Browsers accept no leaf for longer than 397 days. */
const leafDays = 365
const authorityDays = 3650
const renewBeforeDays = 30

/**
 * Puts ca.crt, ca.key, tls.crt and tls.key into a folder, unless a pair is there that is good for another month. The
 * authority is kept as long as it outlives the certificates it signs, so that whoever trusts it need not do so again. If
 * several processes come at once, one makes the pair and the others take it.
 */
export async function ensureDevelopmentPair (directory: string, names: readonly string[], now = new Date()): Promise<DevelopmentPair> {
  await mkdir(directory, { recursive: true })
  const caPem = await goodAuthority(directory, names, now) ??
    await withFolderLock(directory, async () => await goodAuthority(directory, names, now) ?? await make(directory, names, now))
  return { directory, caPem }
}

/** Of the pair that is there, if there is nothing to say against it for some time to come. */
async function goodAuthority (directory: string, names: readonly string[], now: Date): Promise<string | undefined> {
  try {
    const files = await readSnapshot(directory)
    checkKeyPair(files, now)
    const { certificate, ca, warnings } = checkKeyPair(files, inDays(now, renewBeforeDays))
    const leaf = new X509Certificate(certificate)
    const complete = names.every(name => leaf.checkHost(name) ?? leaf.checkIP(name))
    return complete && warnings.length === 0 ? ca?.toString() : undefined
  } catch {
    return undefined // absent or broken: it is made anew
  }
}

async function make (directory: string, names: readonly string[], now: Date): Promise<string> {
  const authority = await readAuthority(directory, now) ??
    await issueAuthority({ commonName: 'dittofs-operator development CA', days: authorityDays, now })
  const leaf = await issueLeaf(authority, { commonName: 'dittofs-operator development', names, days: leafDays, now })
  await replace(directory, 'ca.key', authority.key, 0o600)
  await replace(directory, 'ca.crt', authority.certificate, 0o644)
  await replace(directory, 'tls.key', leaf.key, 0o600)
  await replace(directory, 'tls.crt', leaf.certificate, 0o644)
  return authority.certificate
}

async function readAuthority (directory: string, now: Date): Promise<Issued | undefined> {
  try {
    const [certificate, key] = await Promise.all([readFile(join(directory, 'ca.crt')), readFile(join(directory, 'ca.key'))])
    checkKeyPair({ certificate, key }, now)
    checkKeyPair({ certificate, key }, inDays(now, leafDays))
    return new X509Certificate(certificate).ca ? { certificate: certificate.toString(), key: key.toString() } : undefined
  } catch {
    return undefined
  }
}

/** Whole or not at all, as somebody may be reading. */
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
