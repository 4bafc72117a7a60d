import { createHash } from 'node:crypto'

/** One Secret value that the pod uses. Undefined: the Secret, or the key, does not exist. */
export interface SecretEntry {
  /** `jwt:<key>`, `admin:<key>`, `postgres:<key>`, `s3:<key>`, `percona:uri`. */
  readonly name: string
  readonly value: Buffer | undefined
}

/**
 * SHA-256, in hexadecimal, of everything that the server reads at start: config.yaml, then the entries sorted by name, each as `<bytes of
 * name>:<name>:<bytes of value>:<value>`, with lengths in decimal. An absent entry is `<bytes of name>:<name>:absent:`. So different
 * contents never give the same bytes. When the hash changes, the pod is replaced. The rest of the spec is in the pod template itself.
 */
export function configHash (configFile: string, entries: readonly SecretEntry[]): string {
  const hash = createHash('sha256').update(configFile)
  const sorted = entries.toSorted((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
  for (const { name, value } of sorted) {
    hash.update(`${Buffer.byteLength(name)}:${name}:`)
    if (value === undefined) hash.update('absent:')
    else hash.update(`${value.length}:`).update(value)
  }
  return hash.digest('hex')
}
