import { offerOf, runs, unknownRelease } from '../percona/choice.ts'
import { alternatives, postgresVersions, postgresVersionsOf, releaseFor } from '../percona/releases.ts'
import { childNames } from '../render/names.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import type { Complaint, Rule } from './rule.ts'

const field = 'spec.percona.postgresVersion'
const enabled = { percona: { enabled: true } }
const with18 = { percona: { enabled: true, postgresVersion: 18 } }

/** The requested version. */
const wantedBy = ({ spec: { percona } }: DittoServer) => percona.enabled ? percona.postgresVersion : undefined

export const postgresVersion: Rule = {
  id: 'PG-VERSION',
  severity: 'deny',
  summary: `\`percona.postgresVersion\` must be ${alternatives(postgresVersions)}.`,
  cel: [{
    at: 'spec.percona',
    rule: `!has(self.postgresVersion) || self.postgresVersion in [${postgresVersions.join(', ')}]`,
    restsOn: ['postgresVersion'],
    fieldPath: '.postgresVersion',
    message: `must be ${alternatives(postgresVersions)} [PG-VERSION]`,
  }],
  judge: ({ server: { spec: { percona: { postgresVersion } } } }) =>
    postgresVersion === undefined || postgresVersions.includes(postgresVersion)
      ? []
      : [{ field, problem: 'Unsupported value', found: postgresVersion, detail: `must be ${alternatives(postgresVersions)}` }],
  example: { spec: { percona: { enabled: true, postgresVersion: 13 } }, cluster: { percona: '2.9.0' } },
}

const clusterOf = ({ metadata: { name } }: DittoServer) => childNames(name).perconaCluster

/** An existing cluster already has a version. */
export const postgresVersionNotOffered: Rule = {
  id: 'PG-VERSION-OPERATOR',
  severity: 'deny',
  summary: 'A new PostgreSQL cluster can only have a version that the installed Percona operator supports.',
  when: ['spec.percona.enabled', 'spec.percona.postgresVersion'],
  needs: ({ server }) => wantedBy(server) === undefined ? [] : [{ kind: 'PerconaOperator', field }, { kind: 'PerconaCluster', name: clusterOf(server), field }],
  judge: ({ server, facts }) => {
    const wanted = wantedBy(server)
    if (wanted === undefined || !postgresVersions.includes(wanted) || facts.perconaCluster(clusterOf(server)).state !== 'absent') return []
    const operator = facts.perconaOperator()
    const version = operator.state === 'present' ? operator.value.version : undefined
    const { release } = releaseFor(version)
    return postgresVersionsOf(release).includes(wanted)
      ? []
      : [{ field, problem: 'Unsupported value', found: wanted, detail: offerOf(version) }]
  },
  example: { spec: with18, cluster: { percona: '2.8.2' } },
}

export const postgresVersionChange: Rule = {
  id: 'PG-VERSION-CHANGE',
  severity: 'deny',
  summary: 'Only a PerconaPGUpgrade changes the PostgreSQL version of an existing cluster. Afterwards `percona.postgresVersion` can be set to it.',
  when: ['spec.percona.enabled', 'spec.percona.postgresVersion'],
  needs: ({ server }) => wantedBy(server) === undefined ? [] : [{ kind: 'PerconaCluster', name: clusterOf(server), field }],
  judge: ({ server, facts }) => {
    const wanted = wantedBy(server)
    const cluster = wanted === undefined ? undefined : facts.perconaCluster(clusterOf(server))
    if (wanted === undefined || cluster?.state !== 'present') return []
    const has = cluster.value.postgresVersion
    return has === undefined || has === wanted
      ? []
      : [{ field, problem: 'Forbidden', found: wanted, detail: runs(has) }]
  },
  example: { spec: with18, oldSpec: enabled, cluster: { percona: '2.9.0', perconaClusters: { 'demo-postgres': 16 } } },
}

export const perconaOperatorUnknown: Rule = {
  id: 'PG-OPERATOR-VERSION',
  severity: 'warn',
  summary: 'No images are known for the installed Percona operator: those for the nearest version are used.',
  when: ['spec.percona.enabled'],
  needs: ({ server }) => server.spec.percona.enabled ? [{ kind: 'PerconaOperator', field: 'spec.percona' }] : [],
  judge: ({ server, facts }) => {
    const operator = server.spec.percona.enabled ? facts.perconaOperator() : undefined
    return operator?.state === 'present' ? complaints(unknownRelease(operator.value.version)) : []
  },
  example: { spec: enabled, cluster: { percona: '2.7.0' } },
}

const complaints = (sentences: readonly string[]): Complaint[] =>
  sentences.map(said => ({ field: 'spec.percona', detail: said.replace(/\.$/, '').replace(/^[A-Z]/, first => first.toLowerCase()) }))
