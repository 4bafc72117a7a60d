import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The requests, without the objects. https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/ */
export interface AuditEntry {
  readonly verb: string
  readonly requestURI: string
  readonly user: { readonly username: string, readonly extra?: Readonly<Record<string, readonly string[]>> }
  readonly userAgent?: string
  readonly objectRef?: {
    readonly resource: string
    readonly namespace?: string
    readonly name?: string
    readonly subresource?: string
    readonly apiGroup?: string
  }
  readonly responseStatus?: { readonly code: number }
  readonly annotations?: Readonly<Record<string, string>>
  readonly requestReceivedTimestamp: string
}

const policy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: None
    verbs: [get, list, watch]
  - level: Metadata
`

/** Flags that make the API server record every write in `folder`, before it answers. */
export async function auditFlags (folder: string): Promise<Record<string, string>> {
  const file = join(folder, 'audit-policy.yaml')
  await writeFile(file, policy)
  return { 'audit-policy-file': file, 'audit-log-path': auditLog(folder), 'audit-log-mode': 'blocking' }
}

/** All writes so far, oldest first. */
export async function readAudit (folder: string): Promise<AuditEntry[]> {
  const text = await readFile(auditLog(folder), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  // The text after the last line break is still being written.
  return text.split('\n').slice(0, -1).map(line => JSON.parse(line) as AuditEntry)
}

const auditLog = (folder: string) => join(folder, 'audit.log')
