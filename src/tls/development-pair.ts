import { X509Certificate } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { issueAuthority, issueLeaf } from './authority.ts'
import { checkKeyPair } from './key-pair.ts'

/** Names of a development server: this machine, and the Service that it would be behind in a cluster. */
export const developmentNames = (service: { name: string, namespace: string }): string[] => {
  const { name, namespace } = service
  return ['localhost', '127.0.0.1', '::1', name, `${name}.${namespace}`, `${name}.${namespace}.svc`, `${name}.${namespace}.svc.cluster.local`]
}

/** A browser accepts no leaf for longer than 397 days. */
const leafDays = 365
const authorityDays = 3650
const renewBefore = 30 * 24 * 3600 * 1000

/**
 * Puts ca.crt, ca.key, tls.crt and tls.key into a folder, unless a pair is there that is good for another month. The
 * authority is kept as long as it lasts, so that whoever trusts it need not do so again.
 */
export async function ensureDevelopmentPair (directory: string, names: readonly string[], now = new Date()): Promise<void> {
  await mkdir(directory, { recursive: true })
  const soon = new Date(now.getTime() + renewBefore)
  if (await isGood(directory, names, soon)) return
  const authority = await readAuthority(directory, soon) ?? await issueAuthority('dittofs-operator development', authorityDays, now)
  const leaf = await issueLeaf(authority, names, leafDays, now)
  await write(directory, 'ca.key', authority.key, 0o600)
  await write(directory, 'ca.crt', authority.certificate, 0o644)
  await write(directory, 'tls.key', leaf.key, 0o600)
  await write(directory, 'tls.crt', leaf.certificate, 0o644)
}

async function isGood (directory: string, names: readonly string[], soon: Date): Promise<boolean> {
  try {
    const read = async (name: string) => await readFile(join(directory, name))
    const [certificate, key, ca] = await Promise.all([read('tls.crt'), read('tls.key'), read('ca.crt')])
    checkKeyPair({ certificate, key, ca }, soon)
    const leaf = new X509Certificate(certificate)
    const trusted = leaf.verify(new X509Certificate(ca).publicKey)
    return trusted && names.every(name => leaf.checkHost(name) ?? leaf.checkIP(name))
  } catch {
    return false // absent or broken: it is made anew
  }
}

async function readAuthority (directory: string, soon: Date) {
  try {
    const [certificate, key] = await Promise.all([readFile(join(directory, 'ca.crt')), readFile(join(directory, 'ca.key'))])
    checkKeyPair({ certificate, key }, soon)
    return { certificate: certificate.toString(), key: key.toString() }
  } catch {
    return undefined
  }
}

/** Whole or not at all: somebody may be reading. */
async function write (directory: string, name: string, content: string, mode: number): Promise<void> {
  const part = join(directory, `.${name}.${process.pid}`)
  await writeFile(part, content, { mode })
  await rename(part, join(directory, name))
}
