import { quote } from '../dittoserver/quote.ts'
import type { Fact, Facts } from './facts.ts'
import type { Need, Rule, Unverified } from './rule.ts'

const factOf = (need: Need, facts: Facts): Fact<unknown> => {
  switch (need.kind) {
    case 'StorageClass': return facts.storageClass(need.name)
    case 'StorageClasses': return facts.storageClasses()
    case 'Secret': return facts.secret(need.name)
    case 'PerconaCRD': return facts.perconaServed()
    case 'PerconaOperator': return facts.perconaOperator()
    case 'PerconaCluster': return facts.perconaCluster(need.name)
  }
}

/** The required facts that could not be looked up. */
export function unverified (asked: readonly Need[], facts: Facts): Unverified[] {
  const failed: Unverified[] = []
  for (const need of asked) {
    const { field } = need
    if (field === undefined) continue
    const fact = factOf(need, facts)
    if (fact.state === 'unknown') failed.push({ need, field, reason: fact.reason })
  }
  return failed
}

const subjectOf = (need: Need): string => {
  switch (need.kind) {
    case 'StorageClass': return `StorageClass ${quote(need.name)}`
    case 'StorageClasses': return 'the default StorageClass'
    case 'Secret': return `Secret ${quote(need.name)}`
    case 'PerconaCRD': return 'that the Percona operator is installed'
    case 'PerconaOperator': return 'the version of the Percona operator'
    case 'PerconaCluster': return 'the version of the PostgreSQL cluster'
  }
}

/** One warning for all failed lookups of any rule: a failed lookup never refuses an object. */
export const lookupFailed: Rule = {
  id: 'UNVERIFIED',
  severity: 'warn',
  summary: 'A StorageClass, a Secret or the Percona operator could not be looked up, so the rules that need it were skipped.',
  judge: ({ unverified: failed }) => failed.map(({ need, field, reason }) => ({ field, detail: `could not verify ${subjectOf(need)}: ${reason}` })),
  example: { spec: { s3: { credentialsSecretRef: { secretName: 's3-credentials' } } }, cluster: { away: 'timed out' } },
}
