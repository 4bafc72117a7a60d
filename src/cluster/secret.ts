import type { SecretFact } from '../rules/facts.ts'
import type { KubernetesObject } from './kubernetes-object.ts'
import type { Resource } from './resource-path.ts'

export const secretResource: Resource = { group: '', version: 'v1', resource: 'secrets' }

/** Only the lengths are kept; the values are discarded here. */
export function secretFact ({ data }: KubernetesObject): SecretFact {
  const values = typeof data === 'object' && data !== null ? Object.entries(data) : []
  return { lengths: new Map(values.map(([key, value]) => [key, characters(value)])) }
}

/** The number of Unicode code points of a base64 value, read as UTF-8. */
function characters (value: unknown): number {
  if (typeof value !== 'string') return 0
  let count = 0
  for (const byte of Buffer.from(value, 'base64')) {
    if ((byte & 0xc0) !== 0x80) count++ // every byte except continuation bytes
  }
  return count
}
