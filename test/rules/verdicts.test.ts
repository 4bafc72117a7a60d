import t from 'tap'
import { exampleFacts, exampleServer } from '../../src/manifests/example-server.ts'
import { sentence } from '../../src/rules/finding.ts'
import { judge, prepare } from '../../src/rules/judge.ts'
import type { Example } from '../../src/rules/rule.ts'

// Verdicts that are easy to get wrong: a change of a spec, in a cluster, and the findings.

interface Case {
  readonly what: string
  readonly before?: object
  readonly after: object
  readonly cluster?: Example['cluster']
  readonly dryRun?: true
  readonly annotations?: readonly [before: object, after: object]
  /** Rules that refuse, and rules that warn. */
  readonly denied?: readonly string[]
  readonly warned?: readonly string[]
}

const growable = { name: 'standard', isDefault: true, allowVolumeExpansion: true }
const fixed = { name: 'fixed', isDefault: false, allowVolumeExpansion: false }
const storageClasses = [growable, fixed]
const storage = (cacheSize: unknown, storageClassName?: string) =>
  ({ storage: { cacheSize, ...(storageClassName === undefined ? {} : { storageClassName }) } })
const percona = (fields: object) => ({ percona: { enabled: true, ...fields } })
const external = (name: string) => ({ database: { type: 'postgres', postgresSecretRef: { name, key: 'url' } } })
const secrets = { pg: { url: 40 }, 'pg-2': { url: 40 } }
const acknowledged = { 'dittofs.dittofs.com/acknowledge': 'PG-DISABLE' }

const cases: readonly Case[] = [
  // An old value that was none says nothing about a new one.
  { what: 'a size is put right', before: { storage: { metadataSize: 'ten' } }, after: { storage: { metadataSize: '5Gi' } } },
  { what: 'an empty size is set', before: storage(''), after: storage('2Gi') },
  { what: 'an empty database name is set', before: percona({ databaseName: '' }), after: percona({ databaseName: 'files' }), cluster: { percona: '2.9.0', storageClasses } },
  { what: 'one wrong value becomes another that looks the same when cut', before: storage(`${'9'.repeat(300)}a`), after: storage(`${'9'.repeat(300)}b`), denied: ['SCHEMA'] },

  // Growth.
  { what: 'volumes without a class never grow', before: storage('5Gi', ''), after: storage('10Gi', ''), denied: ['SC-NONE-GROW'] },
  { what: 'nor those of a class that is gone', before: storage('5Gi', 'gone'), after: storage('10Gi', 'gone'), cluster: { storageClasses }, denied: ['SC-NO-EXPAND'] },
  { what: 'in a dry run that only warns', before: storage('5Gi', 'fixed'), after: storage('10Gi', 'fixed'), cluster: { storageClasses }, dryRun: true, warned: ['SC-NO-EXPAND'] },
  { what: 'a lookup that fails is told', before: storage('5Gi', 'fixed'), after: storage('10Gi', 'fixed'), cluster: { away: 'timed out' }, warned: ['UNVERIFIED'] },
  {
    what: 'the default class of today need not be theirs',
    before: storage('5Gi'),
    after: storage('10Gi'),
    cluster: { storageClasses: [{ ...fixed, isDefault: true }] },
    warned: ['SC-NO-EXPAND'],
  },
  { what: 'another spelling is no growth', before: storage('5Gi', 'fixed'), after: storage('5120Mi', 'fixed'), cluster: { storageClasses } },
  {
    what: 'a change of class is one mistake',
    before: storage('5Gi', 'standard'),
    after: storage('10Gi', 'fixed'),
    cluster: { storageClasses },
    denied: ['SC-CHANGE'],
  },
  {
    what: 'volumes of PostgreSQL too',
    before: percona({ storageSize: '5Gi', storageClassName: 'fixed' }),
    after: percona({ storageSize: '10Gi', storageClassName: 'fixed' }),
    cluster: { percona: '2.9.0', storageClasses },
    denied: ['SC-NO-EXPAND'],
  },
  { what: 'no default class for PostgreSQL', after: { ...percona({}), ...storage('5Gi', 'fixed') }, cluster: { percona: '2.9.0', storageClasses: [fixed] }, warned: ['SC-NO-DEFAULT'] },
  { what: 'a default class that cannot be looked for', after: {}, cluster: { away: 'timed out' }, warned: ['UNVERIFIED'] },

  // Values that no pod or Service can have.
  { what: 'a negative limit', after: { resources: { limits: { cpu: '-1' } } }, denied: ['SCHEMA'] },
  { what: 'a request above its limit', after: { resources: { requests: { cpu: '2' }, limits: { cpu: 1 } } }, denied: ['RES-LIMIT'] },
  { what: 'claims that the pod has not', after: { resources: { claims: [{ name: 'a' }] } }, denied: ['SCHEMA'] },
  { what: 'a profile of no known type', after: { securityContext: { seccompProfile: { type: 'Foo' } } }, denied: ['SCHEMA'] },
  { what: 'a negative user', after: { securityContext: { runAsUser: -5 } }, denied: ['SCHEMA'] },
  { what: 'an annotation with two slashes', after: { service: { annotations: { 'a/b/c': '' } } }, denied: ['SVC-ANNOTATION'] },

  // Changes that would hide users and shares.
  { what: 'another database file', before: {}, after: { database: { sqlite: { path: '/data/controlplane/b.db' } } }, denied: ['DB-PATH-CHANGE'] },
  { what: 'the same file in another spelling', before: {}, after: { database: { sqlite: { path: '/data/controlplane/./controlplane.db' } } } },
  { what: 'another Secret of PostgreSQL', before: external('pg'), after: external('pg-2'), cluster: { secrets, storageClasses }, warned: ['DB-SECRET-CHANGE'] },
  { what: 'a path that leaves its volume', after: { cache: { path: '/data/cache/../elsewhere' } }, warned: ['PATH-NOT-MOUNTED'] },
  { what: 'a folder for a file', after: { database: { sqlite: { path: '/data/controlplane' } } }, warned: ['DB-PATH-FOLDER'] },
  { what: 'a Secret name that cannot exist', after: { s3: { credentialsSecretRef: { secretName: 'Not_a_name' } } }, denied: ['SCHEMA'] },
  {
    what: 'a volume that is not there shrinks',
    before: { ...percona({}), storage: { controlPlaneSize: '2Gi' } },
    after: { ...percona({}), storage: { controlPlaneSize: '1Gi' } },
    cluster: { percona: '2.9.0', storageClasses },
  },
  { what: 'a refresh token that expires first', after: { identity: { jwt: { accessTokenDuration: '2h', refreshTokenDuration: '1h' } } }, warned: ['DUR-ORDER'] },
  { what: 'an impossible image', after: { image: 'Example.com/A:b:c' }, denied: ['SCHEMA'] },
  { what: 'an acknowledgement with this change', before: percona({}), after: {}, annotations: [{}, acknowledged], warned: ['PG-DISABLE'] },
  { what: 'an acknowledgement of long ago', before: percona({}), after: {}, annotations: [acknowledged, acknowledged], denied: ['PG-DISABLE'] },

  // One mistake, one finding.
  { what: 'one bad schedule', after: percona({ backup: { fullSchedule: '@evry' } }), cluster: { percona: '2.9.0', storageClasses }, denied: ['PGB-CRON'] },
  { what: 'a privileged port stays', before: { nfsPort: 111 }, after: { nfsPort: 111, replicas: 0 } },
]

const withAnnotations = (object: { metadata: object }, annotations: object) =>
  ({ ...object, metadata: { ...object.metadata, annotations } })

for (const { what, before, after, cluster = { storageClasses }, dryRun = false, annotations, denied = [], warned = [] } of cases) {
  t.test(what, async t => {
    const [old, now] = annotations ?? [{}, {}]
    const object = withAnnotations(exampleServer(after) as { metadata: object }, now)
    const oldObject = before && withAnnotations(exampleServer(before) as { metadata: object }, old)
    const prepared = prepare(oldObject ? { operation: 'UPDATE', object, oldObject, dryRun } : { operation: 'CREATE', object, dryRun })
    const { errors, warnings } = judge(prepared, exampleFacts(cluster))
    t.strictSame([errors, warnings].map(found => found.map(({ rule }) => rule)), [denied, warned], [...errors, ...warnings].map(sentence).join('; '))
  })
}

t.test('user input cannot end a quotation', async t => {
  const object = exampleServer({ storage: { storageClassName: "a': no such thing 'b" } })
  const { errors } = judge(prepare({ operation: 'CREATE', object }), exampleFacts({ storageClasses }))
  for (const error of errors) t.notMatch(sentence(error), "a': no such thing")
})
