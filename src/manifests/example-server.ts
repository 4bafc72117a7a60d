import { apiVersion, kind } from '../dittoserver/api.ts'
import { isObject } from '../dittoserver/structural.ts'
import { absent, present, unknown } from '../rules/facts.ts'
import type { Example, Facts } from '../rules/rule.ts'

/** Merges objects key by key; whatever is no object replaces. */
function merge (base: unknown, over: unknown): unknown {
  if (!isObject(base) || !isObject(over)) return over
  const merged = { ...base }
  for (const [key, value] of Object.entries(over)) merged[key] = key in base ? merge(base[key], value) : value
  return merged
}

const minimalSpec = { storage: { metadataSize: '10Gi' } }

/** The smallest legal DittoServer, with parts of an example merged over it. */
export const exampleServer = (spec: object = {}, name = 'demo') => ({
  apiVersion, kind, metadata: { name, namespace: 'files' }, spec: merge(minimalSpec, spec),
})

/** The cluster of an example: what it does not list is absent. */
export function exampleFacts ({ away, storageClasses, secrets, percona }: NonNullable<Example['cluster']> = {}): Facts {
  const known = storageClasses ?? [{ name: 'standard', isDefault: true, allowVolumeExpansion: true }]
  return {
    storageClass: name => {
      const found = known.find(candidate => candidate.name === name)
      return away ? unknown(away) : found ? present(found) : absent
    },
    storageClasses: () => away ? unknown(away) : present(known),
    secret: name => away ? unknown(away) : secrets?.[name] ? present({ lengths: new Map(Object.entries(secrets[name])) }) : absent,
    perconaServed: () => away ? unknown(away) : percona ? present(true) : absent,
  }
}
