import { createHash } from 'node:crypto'

/** One value of a Secret that the pod uses. Undefined: the Secret, or the key, is not there. */
export interface SecretEntry {
  /** `jwt:<key>`, `admin:<key>`, `postgres:<key>`, `s3:<key>`, `percona:uri`. */
  readonly name: string
  readonly value: Buffer | undefined
}

/**
 * SHA-256, in hexadecimal, of all that the server reads when it starts: config.yaml, then the entries sorted by name, each
 * `<bytes of name>:<name>:<bytes of value>:<value>`, lengths in decimal; one that is absent is `<bytes of name>:<name>:absent:`.
 * So no two different contents give the same bytes. The pod is replaced when it changes; the rest of the spec is in the pod
 * template itself.
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
