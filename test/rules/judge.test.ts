import t from 'tap'
import { exampleFacts, exampleServer } from '../../src/manifests/example-server.ts'
import { directories } from '../../src/rules/cache.ts'
import { absent, noFacts, present, unknown } from '../../src/rules/facts.ts'
import { sentence } from '../../src/rules/finding.ts'
import { judge, prepare, type Request } from '../../src/rules/judge.ts'
import { defaultPolicy, parsePolicy } from '../../src/rules/policy.ts'
import { rules } from '../../src/rules/table.ts'
import type { Example, Rule } from '../../src/rules/rule.ts'

const verdict = (request: Request, cluster: Example['cluster'] = {}, policy = defaultPolicy) => {
  const { allowed, errors, warnings, exempt } = judge(prepare(request, policy), exampleFacts(cluster))
  return { allowed, errors: errors.map(sentence), warnings: warnings.map(sentence), exempt }
}
const create = (spec: object, cluster: Example['cluster'] = {}, dryRun = false) =>
  verdict({ operation: 'CREATE', object: exampleServer(spec), dryRun }, cluster)
const update = (spec: object, oldSpec: object, cluster: Example['cluster'] = {}) =>
  verdict({ operation: 'UPDATE', object: exampleServer(spec), oldObject: exampleServer(oldSpec) }, cluster)

const external = { database: { type: 'postgres', postgresSecretRef: { name: 'pg', key: 'url' } } }

t.test('every finding comes in one reply', async t => {
  const { allowed, errors, warnings } = create({
    replicas: 7,
    storage: { metadataSize: '10Gi', storageClassName: 'nope', cacheSize: '0Gi' },
    nfsPort: '12049',
    controlPlane: { port: 80 },
    s3: { credentialsSecretRef: { secretName: 'later' } },
    identity: { jwt: { accessTokenDuration: '1d' } },
  })
  t.equal(allowed, false)
  t.strictSame(errors, [
    "spec.storage.cacheSize: Invalid value: '0Gi': must be a whole number of Mi, Gi or Ti above zero, such as 10Gi [SIZE-ZERO]",
    "spec.storage.storageClassName: Not found: 'nope': no such StorageClass; available: 'standard' [SC-MISSING]",
    "spec.identity.jwt.accessTokenDuration: Invalid value: '1d': must be a Go duration, such as 15m or 1h30m [DUR-INVALID]",
    "spec.replicas: Invalid value: '7': must be at most 1 [SCHEMA]",
    "spec.nfsPort: Invalid value: '12049': must be an integer [SCHEMA]",
  ])
  t.strictSame(warnings, [
    'spec.controlPlane.port: 80 is privileged: the container may need the capability NET_BIND_SERVICE [PORT-PRIV]',
    "spec.s3.credentialsSecretRef.secretName: Secret 'later' does not exist; the pod does not start until it exists [S3-SECRET-MISSING]",
  ])
})

t.test('a dry run turns the absence of another object into a warning', async t => {
  const { allowed, warnings } = create({ storage: { storageClassName: 'nope' }, percona: { enabled: true } }, {}, true)
  t.equal(allowed, true)
  t.equal(warnings.length, 2)
  t.match(warnings[0], /\(only a warning in a dry run\) \[SC-MISSING\]$/)
  t.equal(create({ replicas: 9 }, {}, true).allowed, false, 'static refusals stay')
})

t.test('ratchet: unchanged errors do not block an update', async t => {
  const gone = { storage: { storageClassName: 'gone' }, s3: { credentialsSecretRef: { secretName: 'gone' } } }
  t.strictSame(update({ ...gone, nfsPort: 2049 }, gone), { allowed: true, errors: [], warnings: [], exempt: undefined })
  t.equal(update(gone, gone).exempt, 'unchanged')
  t.equal(update({ image: 'marmos91c/dittofs:latest' }, {}).exempt, 'unchanged', 'a default spelled out is no change')
  const stale = { replicas: 9 }
  const { allowed, warnings } = update({ ...stale, nfsPort: 2049 }, stale)
  t.equal(allowed, true)
  t.strictSame(warnings, ["spec.replicas: Invalid value: '9': must be at most 1 (existed before) [SCHEMA]"])
  t.equal(update({ replicas: 8 }, stale).allowed, false, 'another wrong value is a new mistake')
})

t.test('an object that is being deleted is never blocked', async t => {
  const object = { ...exampleServer({ replicas: 9 }), metadata: { name: 'x', deletionTimestamp: '2026-01-01T00:00:00Z' } }
  const { exempt, allowed } = verdict({ operation: 'UPDATE', object, oldObject: exampleServer() })
  t.equal(exempt, 'deleting')
  t.equal(allowed, true)
})

t.test('an exempt request needs no lookups', async t => {
  const gone = exampleServer({ storage: { storageClassName: 'gone' } })
  t.strictSame(prepare({ operation: 'UPDATE', object: gone, oldObject: gone }).needs, [])
})

t.test('each fact is looked up once', async t => {
  const object = exampleServer({
    storage: { storageClassName: 'fast' },
    percona: { enabled: true, storageClassName: 'fast' },
    s3: { credentialsSecretRef: { secretName: 'all' } },
    identity: { jwt: { secretRef: { name: 'all', key: 'jwt' } } },
  })
  const { needs, asked } = prepare({ operation: 'CREATE', object })
  t.strictSame(needs, [
    { kind: 'StorageClass', name: 'fast', field: 'spec.storage.storageClassName' },
    { kind: 'StorageClasses' },
    { kind: 'Secret', name: 'all', field: 'spec.identity.jwt.secretRef.name' },
    { kind: 'PerconaCRD', field: 'spec.percona.enabled' },
    { kind: 'PerconaOperator', field: 'spec.percona' },
  ])
  t.strictSame(asked.filter(({ kind }) => !kind.startsWith('Percona')), [
    { kind: 'StorageClass', name: 'fast', field: 'spec.storage.storageClassName' },
    { kind: 'StorageClasses' },
    { kind: 'Secret', name: 'all', field: 'spec.identity.jwt.secretRef.name' },
    { kind: 'Secret', name: 'all', field: 'spec.s3.credentialsSecretRef.secretName' },
    { kind: 'StorageClass', name: 'fast', field: 'spec.percona.storageClassName' },
  ], 'for each field that cannot be verified without it')
})

t.test('two Secrets are two facts', async t => {
  const object = exampleServer({
    s3: { credentialsSecretRef: { secretName: 'a' } }, identity: { jwt: { secretRef: { name: 'b', key: 'jwt' } } },
  })
  const { needs } = prepare({ operation: 'CREATE', object })
  t.strictSame(needs.flatMap(need => need.kind === 'Secret' ? need.name : []).toSorted(), ['a', 'b'])
})

t.test('what is switched off is not looked up', async t => {
  const backup = (enabled: boolean) => ({ enabled, bucket: 'b', endpoint: 'e', credentialsSecretRef: { name: 'keys' } })
  const secrets = (percona: object) => prepare({ operation: 'CREATE', object: exampleServer({ percona }) }).needs.filter(({ kind }) => kind === 'Secret')
  t.strictSame(secrets({ enabled: false, backup: backup(true) }), [])
  t.strictSame(secrets({ enabled: true, backup: backup(false) }), [])
  t.match(secrets({ enabled: true, backup: backup(true) }), [{ name: 'keys' }])
})

t.test('a PostgreSQL version is compared with the cluster, even if the rule about the operator is off', async t => {
  const object = exampleServer({ percona: { enabled: true, postgresVersion: 17 } })
  const field = 'spec.percona.postgresVersion'
  const cluster = { kind: 'PerconaCluster', name: 'demo-postgres', field }
  const needs = (rule: string) => prepare({ operation: 'CREATE', object }, parsePolicy([`${rule}=off`])).needs.filter(({ kind }) => kind === 'PerconaCluster')
  t.strictSame(needs('PG-VERSION-OPERATOR'), [cluster])
  t.strictSame(needs('PG-VERSION-CHANGE'), [cluster])
})

t.test('growth without a StorageClass needs no fact', async t => {
  const grown = (className: string) => prepare({
    operation: 'UPDATE',
    object: exampleServer({ storage: { metadataSize: '2Gi', storageClassName: className } }),
    oldObject: exampleServer({ storage: { metadataSize: '1Gi', storageClassName: className } }),
  }).needs
  t.strictSame(grown(''), [])
  t.match(grown('fast'), [{ kind: 'StorageClass', name: 'fast' }])
})

t.test('another table of rules is not mistaken for the first one', async t => {
  const object = exampleServer()
  const [first] = prepare({ operation: 'CREATE', object }).active
  t.strictSame(prepare({ operation: 'CREATE', object }, defaultPolicy, first ? [first] : []).active, [first])
})

t.test('what stands in for a section that is wrong is not compared with the old one', async t => {
  const { errors } = update({ storage: 'large' }, { storage: { metadataSize: '100Gi', cacheSize: '50Gi', contentSize: '1Ti' } })
  t.equal(errors.length, 1, errors.join('\n'))
  t.match(errors, [/^spec\.storage: .*\[SCHEMA\]$/])
})

t.test('volumes and files of a database that is not used are not compared', async t => {
  const sqlite = (path: string) => ({ database: { sqlite: { path } }, storage: { metadataSize: '1Gi', controlPlaneSize: '1Gi' } })
  const elsewhere = (path: string) => ({ ...sqlite(path), database: { ...external.database, sqlite: { path } }, storage: { metadataSize: '1Gi', controlPlaneSize: '2Gi' } })
  const rulesOf = (spec: object, before: object) => {
    const { errors, warnings } = update(spec, before)
    return [...errors, ...warnings].flatMap(text => /\[([A-Z0-9-]+)\]$/.exec(text)?.[1] ?? [])
  }
  t.notOk(rulesOf(elsewhere('/data/a.db'), elsewhere('/data/b.db')).includes('DB-PATH-CHANGE'))
  t.notOk(rulesOf(sqlite('/data/a.db'), elsewhere('/data/b.db')).includes('DB-PATH-CHANGE'))
  t.notOk(rulesOf(elsewhere('/data/a.db'), sqlite('/data/b.db')).includes('DB-PATH-CHANGE'))
  t.ok(rulesOf(sqlite('/data/a.db'), sqlite('/data/b.db')).includes('DB-PATH-CHANGE'))
  t.notOk(rulesOf(sqlite('/data/a.db'), elsewhere('/data/a.db')).includes('SIZE-SHRINK'), 'its volume is a new one')
})

t.test('a sentence has a limited length', async t => {
  const text = sentence({ rule: 'SCHEMA', severity: 'deny', field: 'spec.image', detail: 'x'.repeat(10_000) })
  t.ok([...text].length <= 400, String(text.length))
  t.match(text, /… \[SCHEMA\]$/)
})

t.test('an override may have spaces around its parts', async t => {
  const rule = rules.find(({ id }) => id === 'PORT-PRIV')
  t.equal(rule && parsePolicy([' PORT-PRIV = deny '])(rule), 'deny')
})

t.test('an extended resource needs a limit that is equal to its request', async t => {
  const denied = (resources: object) => create({ resources }).errors
  const device = 'example.com/device'
  t.match(denied({ requests: { [device]: '1' } }), [/must have a limit, and be equal to it \[RES-LIMIT\]$/])
  t.match(denied({ requests: { [device]: '1' }, limits: { [device]: '2' } }), [/must have a limit, and be equal to it \[RES-LIMIT\]$/])
  t.strictSame(denied({ requests: { [device]: '1' }, limits: { [device]: '1' } }), [])
  t.strictSame(denied({ requests: { memory: '9Gi' } }), [], 'memory needs none')
})

t.test('no StorageClass is looked up if none is used', async t => {
  t.strictSame(prepare({ operation: 'CREATE', object: exampleServer({ storage: { storageClassName: '' } }) }).needs, [])
})

t.test('an unreachable cluster denies nothing', async t => {
  const away = { away: 'timed out' }
  const { allowed, warnings } = create({
    storage: { storageClassName: 'fast' },
    percona: {
      enabled: true,
      postgresVersion: 17,
      storageClassName: 'fast',
      backup: { enabled: true, bucket: 'b', endpoint: 'e', credentialsSecretRef: { name: 'c' } },
    },
    s3: { credentialsSecretRef: { secretName: 's3' } },
    identity: { admin: { passwordSecretRef: { name: 'admin', key: 'p' } }, jwt: { secretRef: { name: 'jwt', key: 'k' } } },
  }, away)
  t.equal(allowed, true)
  const said = (texts: readonly string[]) => texts.map(text => text.replace(/: timed out \[UNVERIFIED\]$/, '')).toSorted()
  t.strictSame(said(warnings), [
    "spec.identity.admin.passwordSecretRef.name: could not verify Secret 'admin'",
    "spec.identity.jwt.secretRef.name: could not verify Secret 'jwt'",
    "spec.percona.backup.credentialsSecretRef.name: could not verify Secret 'c'",
    'spec.percona.enabled: could not verify that the Percona operator is installed',
    'spec.percona.postgresVersion: could not verify the version of the Percona operator',
    'spec.percona.postgresVersion: could not verify the version of the PostgreSQL cluster',
    "spec.percona.storageClassName: could not verify StorageClass 'fast'",
    'spec.percona: could not verify the version of the Percona operator',
    "spec.s3.credentialsSecretRef.secretName: could not verify Secret 's3'",
    "spec.storage.storageClassName: could not verify StorageClass 'fast'",
  ])
  t.strictSame(said(create({ ...external }, away).warnings), [
    "spec.database.postgresSecretRef.name: could not verify Secret 'pg'", 'spec.storage.storageClassName: could not verify the default StorageClass',
  ])
  const grown = (spec: object, before: object) => said(update({ storage: { cacheSize: '6Gi', ...spec } }, { storage: before }, away).warnings)
  t.strictSame(grown({}, {}), ['spec.storage.cacheSize: could not verify the default StorageClass'])
  t.strictSame(grown({ storageClassName: 'a' }, { storageClassName: 'a' }), ["spec.storage.cacheSize: could not verify StorageClass 'a'"])
})

t.test('a cluster without a known version has no alternatives', async t => {
  const object = exampleServer({ percona: { enabled: true, postgresVersion: 17 } })
  const facts = { ...exampleFacts({ percona: '2.9.0' }), perconaCluster: () => present({ postgresVersion: undefined }) }
  const { errors } = judge(prepare({ operation: 'CREATE', object }), facts)
  t.strictSame(errors.map(sentence), [])
})

t.test('a failed lookup gives one warning', async t => {
  const object = exampleServer({
    storage: { storageClassName: 'standard' }, percona: { enabled: true, postgresVersion: 17 }, s3: { credentialsSecretRef: { secretName: 's3' } },
  })
  const facts = exampleFacts({
    percona: '2.9.0',
    storageClasses: [{ name: 'standard', isDefault: true, allowVolumeExpansion: true }],
    secrets: { s3: { accessKeyId: 1, secretAccessKey: 1 } },
  })
  for (const [fact, ...said] of [
    ['storageClass', "spec.storage.storageClassName: could not verify StorageClass 'standard'"],
    ['storageClasses', 'spec.percona.storageClassName: could not verify the default StorageClass'],
    ['secret', "spec.s3.credentialsSecretRef.secretName: could not verify Secret 's3'"],
    ['perconaServed', 'spec.percona.enabled: could not verify that the Percona operator is installed'],
    ['perconaOperator', 'spec.percona.postgresVersion: could not verify the version of the Percona operator', 'spec.percona: could not verify the version of the Percona operator'],
    ['perconaCluster', 'spec.percona.postgresVersion: could not verify the version of the PostgreSQL cluster'],
  ] as const) {
    const { errors, warnings } = judge(prepare({ operation: 'CREATE', object }), { ...facts, [fact]: () => unknown('403') })
    t.strictSame([...errors, ...warnings].map(sentence), said.map(text => `${text}: 403 [UNVERIFIED]`), fact)
  }
})

t.test('an acknowledged error is a warning', async t => {
  const before = exampleServer({ percona: { enabled: true } })
  const after = (acknowledge: string) => ({ ...exampleServer(), metadata: { name: 'demo', annotations: { 'dittofs.dittofs.com/acknowledge': acknowledge } } })
  t.equal(verdict({ operation: 'UPDATE', object: exampleServer(), oldObject: before }).allowed, false)
  t.equal(verdict({ operation: 'UPDATE', object: after('STOR-SHRINK, PG-DISABLE'), oldObject: before }).allowed, true)
  t.equal(verdict({ operation: 'UPDATE', object: after('PG-DISABL'), oldObject: before }).allowed, false)
  t.equal(verdict({ operation: 'UPDATE', object: after(`${','.repeat(1_014)}PG-DISABLE`), oldObject: before }).allowed, true)
  t.equal(verdict({ operation: 'UPDATE', object: after(`${','.repeat(1_015)}PG-DISABLE`), oldObject: before }).allowed, false, 'no more than 1024 characters are read')
})

t.test('an acknowledgement in a new object counts', async t => {
  const rule: Rule = {
    id: 'RISK', severity: 'deny', acknowledgeable: true, summary: '', example: {}, judge: () => [{ field: 'spec', problem: 'Forbidden', detail: 'is a risk' }],
  }
  const judged = (annotations: object) => judge(prepare({ operation: 'CREATE', object: { ...exampleServer(), metadata: { annotations } } }, defaultPolicy, [rule]), exampleFacts())
  t.strictSame(judged({}).errors.map(sentence), ['spec: Forbidden: is a risk [RISK]'])
  t.strictSame(judged({ 'dittofs.dittofs.com/acknowledge': 'RISK' }).warnings.map(sentence), ['spec: is a risk (acknowledged) [RISK]'])
})

t.test('generateName', async t => {
  const said = (metadata: object) => verdict({ operation: 'CREATE', object: { ...exampleServer(), metadata } }).errors.length
  t.equal(said({ generateName: 'files-' }), 0)
  t.equal(said({ generateName: 'files-', name: '1st' }), 1)
  t.equal(said({}), 1)
})

t.test('StorageClasses that could not be listed are not named', async t => {
  const facts = { ...exampleFacts(), storageClass: () => absent, storageClasses: () => unknown('timed out') }
  const { errors } = judge(prepare({ operation: 'CREATE', object: exampleServer({ storage: { storageClassName: 'x' } }) }), facts)
  t.strictSame(errors.map(sentence), ["spec.storage.storageClassName: Not found: 'x': no such StorageClass [SC-MISSING]"])
})

t.test('rules without needs get no facts', async t => {
  const { storageClass, storageClasses, secret, perconaServed, perconaOperator, perconaCluster } = noFacts
  for (const fact of [storageClass('a'), storageClasses(), secret('a'), perconaServed(), perconaOperator(), perconaCluster('a')]) {
    t.strictSame(fact, unknown('not asked'))
  }
})

t.test('directories that are kept when the pod restarts', async t => {
  const mounted = (spec: object) => {
    const { server } = prepare({ operation: 'CREATE', object: exampleServer(spec) }).reading
    return directories.filter(({ isMounted }) => isMounted(server.spec)).map(({ path }) => path)
  }
  t.strictSame(mounted({}), ['/data/metadata', '/data/cache', '/data/controlplane'])
  t.strictSame(mounted({ percona: { enabled: true }, storage: { contentSize: '1Gi' } }), ['/data/metadata', '/data/cache', '/data/content'])
})

t.test('severities can be overridden', async t => {
  const conflict = { operation: 'CREATE' as const, object: exampleServer({ metrics: { enabled: true, port: 8080 } }) }
  t.equal(verdict(conflict).allowed, true)
  const strict = verdict(conflict, {}, parsePolicy(['PORT-CONFLICT=deny']))
  t.strictSame(strict.errors, ['spec.metrics.port: Forbidden: 8080 is also the api port; one container cannot bind both [PORT-CONFLICT]'])
  t.strictSame(verdict(conflict, {}, parsePolicy(['PORT-CONFLICT=off'])), { allowed: true, errors: [], warnings: [], exempt: undefined })
  t.throws(() => parsePolicy(['PORT-CONFLICTS=deny']), /there is no rule 'PORT-CONFLICTS'/)
  t.throws(() => parsePolicy(['PORT-CONFLICT=deny=warn']), /must be one of deny, warn, off/)
  t.throws(() => parsePolicy(['PORT-CONFLICT=no']), /must be one of deny, warn, off/)
  t.throws(() => parsePolicy(['SCHEMA=off']), /can only be 'deny'/)
})

t.test('no finding for a field that the schema already refused', async t => {
  t.strictSame(create({ storage: { storageClassName: 5 }, s3: { credentialsSecretRef: {} } }).errors, [
    'spec.s3.credentialsSecretRef.secretName: Required value: must be set [S3-NAME-REQ]',
    "spec.storage.storageClassName: Invalid value: '5': must be a string [SCHEMA]",
  ])
})

t.test('user values cannot affect the terminal', async t => {
  const [text] = create({ storage: { storageClassName: `a\u001b[31m\n\u202e${'x'.repeat(100)}` } }).errors
  t.match(text, "'a\\u{1b}[31m\\u{a}\\u{202e}xxx")
  t.match(text, '…')
})

t.test('the example in the specification has no findings', async t => {
  const spec = {
    image: 'marmos91c/dittofs:v0.4.0',
    storage: { metadataSize: '10Gi', contentSize: '50Gi', cacheSize: '5Gi', storageClassName: 'fast-ssd' },
    cache: { size: '2GB' },
    metrics: { enabled: true },
    controlPlane: { port: 8081 },
    nfsPort: 12049,
    smb: { enabled: true, port: 12445 },
    service: { type: 'LoadBalancer', annotations: { 'example.com/lb': 'internal' } },
    identity: { jwt: { secretRef: { name: 'demo-jwt', key: 'secret' }, accessTokenDuration: '30m' }, admin: { passwordSecretRef: { name: 'demo-admin', key: 'password' } } },
    s3: { credentialsSecretRef: { secretName: 'demo-s3' }, region: 'eu-west-1', bucket: 'data' },
    percona: {
      enabled: true,
      replicas: 3,
      storageSize: '20Gi',
      databaseName: 'dittofs',
      backup: { enabled: true, bucket: 'pg', endpoint: 'https://s3.cubbit.eu', credentialsSecretRef: { name: 'pgb' }, retentionDays: 14 },
    },
    resources: { requests: { cpu: '500m', memory: '1Gi' }, limits: { cpu: '2', memory: '4Gi' } },
  }
  const found = create(spec, {
    percona: '2.9.0',
    storageClasses: [{ name: 'fast-ssd', isDefault: true, allowVolumeExpansion: true }],
    secrets: { 'demo-jwt': { secret: 40 }, 'demo-admin': { password: 9 }, 'demo-s3': { accessKeyId: 20, secretAccessKey: 40 }, pgb: { 's3.conf': 60 } },
  })
  t.strictSame(found, { allowed: true, errors: [], warnings: [], exempt: undefined })
})

t.test('messages that list alternatives', async t => {
  const classes = (count: number) => Array.from({ length: count }, (_, index) => ({ name: `c${index}`, isDefault: index === 0, allowVolumeExpansion: false }))
  const missing = (count: number) => create({ storage: { storageClassName: 'x' } }, { storageClasses: classes(count) }).errors.join()
  t.match(missing(0), 'no such StorageClass; the cluster has none [SC-MISSING]')
  t.match(missing(1), "no such StorageClass; available: 'c0' [SC-MISSING]")
  t.match(missing(8), "'c6', 'c7' [SC-MISSING]")
  t.match(missing(10), "'c6', 'c7' and 2 more [SC-MISSING]")
  t.match(update({ storage: { cacheSize: '6Gi' } }, {}, { storageClasses: classes(2) }).warnings.join(), "the default StorageClass 'c0' has no allowVolumeExpansion")
  t.match(update({ storage: { storageClassName: 'c0' } }, {}, { storageClasses: classes(1) }).errors.join(), 'keep their StorageClass (the default)')
  const percona = (fields: object) => ({ percona: { enabled: true, ...fields } })
  const changed = (after: object, before: object) => update(percona(after), percona(before), { percona: '2.9.0', storageClasses: classes(1) }).errors.join()
  t.match(changed({ storageClassName: 'c0' }, {}), 'keep their StorageClass (the default)')
  t.match(changed({}, { storageClassName: 'c0' }), "keep their StorageClass ('c0')")

  const privileged = (spec: object) => create(spec).warnings.join()
  t.match(privileged({ nfsPort: 111 }), 'the server listens on 12049')
  t.match(privileged({ smb: { enabled: true, port: 445 } }), 'the server listens on 1445')

  const dead = (smb: object) => create({ smb }).warnings
  t.strictSame(dead({ maxConnections: 1 }), ['spec.smb.maxConnections: has no effect [NO-EFFECT]'])
  t.strictSame(dead({ maxConnections: 1, metricsLogInterval: '1m' }), ['spec.smb.maxConnections: has no effect; same for smb.metricsLogInterval [NO-EFFECT]'])
  t.strictSame(dead({ maxConnections: 1, metricsLogInterval: '1m', timeouts: { read: '1m', idle: '1m' } }), [
    'spec.smb.maxConnections: has no effect; same for smb.metricsLogInterval and 2 more [NO-EFFECT]',
  ])

  const pg = (secrets: Readonly<Record<string, number>>) => create(external, { secrets: { pg: secrets } }).warnings.join()
  t.match(pg({}), "Secret 'pg' has neither key 'url' nor host, database, user, password")
  t.match(pg({ host: 1, user: 1 }), "Secret 'pg' has no database, password")
  const key = (lengths: Readonly<Record<string, number>>) => create({ s3: { credentialsSecretRef: { secretName: 's3' } } }, { secrets: { s3: { secretAccessKey: 1, ...lengths } } }).warnings.join()
  t.match(key({}), "Secret 's3' has no key 'accessKeyId'")
  t.match(key({ accessKeyId: 0 }), "key 'accessKeyId' of Secret 's3' is empty")
})
