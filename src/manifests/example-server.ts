import { apiVersion, kind } from '../dittoserver/api.ts'
import { isObject } from '../dittoserver/structural.ts'
import { absent, present, unknown } from '../rules/facts.ts'
import type { Facts } from '../rules/facts.ts'
import type { Example } from '../rules/rule.ts'

/** Merges objects key by key; values that are not objects are replaced. */
function merge (base: unknown, over: unknown): unknown {
  if (!isObject(base) || !isObject(over)) return over
  const merged = { ...base }
  for (const [key, value] of Object.entries(over)) merged[key] = key in base ? merge(base[key], value) : value
  return merged
}

const minimalSpec = { storage: { metadataSize: '10Gi' } }

/** The smallest valid DittoServer, with parts of an example merged over it. */
export const exampleServer = (spec: object = {}, name = 'demo') => ({
  apiVersion, kind, metadata: { name, namespace: 'files' }, spec: merge(minimalSpec, spec),
})

/** The cluster of an example: objects that it does not list are absent. */
export function exampleFacts ({ away, storageClasses, secrets, percona, perconaClusters = {} }: NonNullable<Example['cluster']> = {}): Facts {
  const known = storageClasses ?? [{ name: 'standard', isDefault: true, allowVolumeExpansion: true }]
  return {
    storageClass: name => {
      const found = known.find(candidate => candidate.name === name)
      return away ? unknown(away) : found ? present(found) : absent
    },
    storageClasses: () => away ? unknown(away) : present(known),
    secret: name => away ? unknown(away) : secrets?.[name] ? present({ lengths: new Map(Object.entries(secrets[name])) }) : absent,
    perconaServed: () => away ? unknown(away) : percona ? present(true) : absent,
    perconaOperator: () => {
      if (away) return unknown(away)
      return percona ? present({ version: typeof percona === 'string' ? percona : undefined }) : absent
    },
    perconaCluster: name => away ? unknown(away) : name in perconaClusters ? present({ postgresVersion: perconaClusters[name] }) : absent,
  }
}
