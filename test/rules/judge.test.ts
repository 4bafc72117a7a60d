import t from 'tap'
import { exampleFacts, exampleServer } from '../../src/manifests/example-server.ts'
import { sentence } from '../../src/rules/finding.ts'
import { judge, prepare, type Request } from '../../src/rules/judge.ts'
import { defaultPolicy, parsePolicy } from '../../src/rules/policy.ts'
import type { Example } from '../../src/rules/rule.ts'

const verdict = (request: Request, cluster: Example['cluster'] = {}, policy = defaultPolicy) => {
  const { allowed, errors, warnings, exempt } = judge(prepare(request, policy), exampleFacts(cluster))
  return { allowed, errors: errors.map(sentence), warnings: warnings.map(sentence), exempt }
}
const create = (spec: object, cluster: Example['cluster'] = {}, dryRun = false) =>
  verdict({ operation: 'CREATE', object: exampleServer(spec), dryRun }, cluster)
const update = (spec: object, oldSpec: object, cluster: Example['cluster'] = {}) =>
  verdict({ operation: 'UPDATE', object: exampleServer(spec), oldObject: exampleServer(oldSpec) }, cluster)

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
    "spec.storage.cacheSize: Invalid value: '0Gi': must be larger than zero [SIZE-ZERO]",
    "spec.storage.storageClassName: Not found: 'nope': no such StorageClass; available: 'standard' [SC-MISSING]",
    "spec.identity.jwt.accessTokenDuration: Invalid value: '1d': must be a Go duration, such as 15m or 1h30m [DUR-INVALID]",
    "spec.replicas: Invalid value: '7': must be at most 1 [SCHEMA]",
    "spec.nfsPort: Invalid value: '12049': must be an integer [SCHEMA]",
  ])
  t.strictSame(warnings, [
    'spec.controlPlane.port: 80 is privileged: the container may need the capability NET_BIND_SERVICE [PORT-PRIV]',
    "spec.s3.credentialsSecretRef.secretName: Secret 'later' does not exist; the pod starts only once it does [S3-SECRET-MISSING]",
    "spec.cache.size: '1GB' is more than the cache volume holds (0Gi); it may fill up [CACHE-EXCEEDS-PVC]",
  ])
})

t.test('a dry run turns the absence of another object into a warning', async t => {
  const { allowed, warnings } = create({ storage: { storageClassName: 'nope' }, percona: { enabled: true } }, {}, true)
  t.equal(allowed, true)
  t.equal(warnings.length, 2)
  t.match(warnings[0], /\(in a dry run only a warning\) \[SC-MISSING\]$/)
  t.equal(create({ replicas: 9 }, {}, true).allowed, false, 'static refusals stay')
})

t.test('ratchet: what did not change is not held against the object', async t => {
  const gone = { storage: { storageClassName: 'gone' }, s3: { credentialsSecretRef: { secretName: 'gone' } } }
  t.strictSame(update({ ...gone, nfsPort: 2049 }, gone), { allowed: true, errors: [], warnings: [], exempt: undefined })
  t.equal(update(gone, gone).exempt, 'unchanged')
  t.equal(update({ image: 'marmos91c/dittofs:latest' }, {}).exempt, 'unchanged', 'a default spelled out is no change')
  const stale = { replicas: 9 }
  const { allowed, warnings } = update({ ...stale, nfsPort: 2049 }, stale)
  t.equal(allowed, true)
  t.strictSame(warnings, ["spec.replicas: Invalid value: '9': must be at most 1 (as before this change) [SCHEMA]"])
  t.equal(update({ replicas: 8 }, stale).allowed, false, 'another wrong value is a new mistake')
})

t.test('an object that is being deleted is never held up', async t => {
  const object = { ...exampleServer({ replicas: 9 }), metadata: { name: 'x', deletionTimestamp: '2026-01-01T00:00:00Z' } }
  const { exempt, allowed } = verdict({ operation: 'UPDATE', object, oldObject: exampleServer() })
  t.equal(exempt, 'deleting')
  t.equal(allowed, true)
})

t.test('an exempt request needs no lookups', async t => {
  const gone = exampleServer({ storage: { storageClassName: 'gone' } })
  t.strictSame(prepare({ operation: 'UPDATE', object: gone, oldObject: gone }).needs, [])
})

t.test('lookups are asked for once', async t => {
  const object = exampleServer({
    storage: { storageClassName: 'fast' },
    percona: { enabled: true, storageClassName: 'fast' },
    s3: { credentialsSecretRef: { secretName: 'all' } },
    identity: { jwt: { secretRef: { name: 'all', key: 'jwt' } } },
  })
  t.strictSame(prepare({ operation: 'CREATE', object }).needs, [
    { kind: 'StorageClass', name: 'fast' }, { kind: 'StorageClasses' }, { kind: 'Secret', name: 'all' }, { kind: 'PerconaCRD' },
  ])
})

t.test('a cluster that does not answer denies nothing', async t => {
  const { allowed, warnings } = create({
    storage: { storageClassName: 'fast' },
    percona: { enabled: true, storageClassName: 'fast', backup: { enabled: true, bucket: 'b', endpoint: 'e', credentialsSecretRef: { name: 'c' } } },
    s3: { credentialsSecretRef: { secretName: 's3' } },
    identity: { admin: { passwordSecretRef: { name: 'admin', key: 'p' } } },
  }, { away: 'timed out' })
  t.equal(allowed, true)
  t.equal(warnings.filter(text => text.includes('could not verify')).length, 6)
})

t.test('an acknowledged refusal is a warning', async t => {
  const before = exampleServer({ percona: { enabled: true } })
  const after = (acknowledge: string) => ({ ...exampleServer(), metadata: { name: 'demo', annotations: { 'dittofs.dittofs.com/acknowledge': acknowledge } } })
  t.equal(verdict({ operation: 'UPDATE', object: exampleServer(), oldObject: before }).allowed, false)
  t.equal(verdict({ operation: 'UPDATE', object: after('STOR-SHRINK, PG-DISABLE'), oldObject: before }).allowed, true)
  t.equal(verdict({ operation: 'UPDATE', object: after('PG-DISABL'), oldObject: before }).allowed, false)
})

t.test('severities can be overridden', async t => {
  const conflict = { operation: 'CREATE' as const, object: exampleServer({ metrics: { enabled: true, port: 8080 } }) }
  t.equal(verdict(conflict).allowed, true)
  const strict = verdict(conflict, {}, parsePolicy(['PORT-CONFLICT=deny']))
  t.strictSame(strict.errors, ['spec.metrics.port: Forbidden: 8080 is also the api port; one container cannot bind both [PORT-CONFLICT]'])
  t.strictSame(verdict(conflict, {}, parsePolicy(['PORT-CONFLICT=off'])).warnings, [])
  t.throws(() => parsePolicy(['PORT-CONFLICTS=deny']), /there is no rule 'PORT-CONFLICTS'/)
  t.throws(() => parsePolicy(['PORT-CONFLICT=no']), /must be one of deny, warn, off/)
  t.throws(() => parsePolicy(['SCHEMA=off']), /can only be 'deny'/)
})

t.test('no finding on a field that the schema already refused', async t => {
  t.strictSame(create({ storage: { storageClassName: 5 }, s3: { credentialsSecretRef: {} } }).errors, [
    'spec.s3.credentialsSecretRef.secretName: Required value: must be set [S3-NAME-REQ]',
    "spec.storage.storageClassName: Invalid value: '5': must be a string [SCHEMA]",
  ])
})

t.test('values of the user cannot disturb the terminal', async t => {
  const [text] = create({ storage: { storageClassName: `a\u001b[31m\n\u202e${'x'.repeat(100)}` } }).errors
  t.match(text, "'a\\u{1b}[31m\\u{a}\\u{202e}xxx")
  t.match(text, '…')
})

t.test('the worked example of the specification draws nothing', async t => {
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
    percona: true,
    storageClasses: [{ name: 'fast-ssd', isDefault: false, allowVolumeExpansion: true }],
    secrets: { 'demo-jwt': { secret: 40 }, 'demo-admin': { password: 9 }, 'demo-s3': { accessKeyId: 20, secretAccessKey: 40 }, pgb: { 's3.conf': 60 } },
  })
  t.strictSame(found, { allowed: true, errors: [], warnings: [], exempt: undefined })
})
