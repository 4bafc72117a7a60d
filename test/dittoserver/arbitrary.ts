import fc from 'fast-check'

// DittoServers as people, tools and adversaries write them.

/** Mostly realistic values, sometimes others. */
const mostly = <Value>(usual: fc.Arbitrary<Value>, odd: readonly unknown[], weight = 60): fc.Arbitrary<unknown> =>
  fc.oneof({ weight, arbitrary: usual }, { weight: 1, arbitrary: fc.constantFrom(...odd) })
const some = (fields: Record<string, fc.Arbitrary<unknown>>, required: string[] = []) =>
  mostly(fc.record(fields, { requiredKeys: required }), [null, 7, 'x', [], {}], 150)

const size = mostly(fc.constantFrom('1Gi', '5Gi', '10Gi', '1024Mi', '2Ti', '5120Mi'), ['0Gi', '', '5G', '-1Gi', '5 Gi', 5, null, '000Mi', '99999999999999999999Gi', '1.5Gi', '٣Gi'])
const port = mostly(fc.constantFrom(1, 445, 2049, 8080, 12049, 65535), [0, -1, 65536, '8080', 80.5, null, true, 1e30])
const bool = mostly(fc.boolean(), ['true', 1, null])
const name = mostly(fc.constantFrom('secret', 'a.b', 'x'), ['', null, 5, 'x'.repeat(254)])
const key = mostly(fc.constantFrom('key', 'a.b_c-d', 'K'), ['', 'a b', 'é', null, 3])
const selector = some({ name, key, optional: bool }, ['key'])
const className = mostly(fc.constantFrom('standard', 'fast', ''), [null, 4, 'x'.repeat(254), 'Bad_Name'])
const duration = mostly(fc.constantFrom('15m', '168h', '1h30m', '1.5s', '.5h', '1µs'), ['0s', '7d', '', '-1m', '1', '0h0m0s', '99999999h', '2562047h', '2562048h', '1e3s', '0.1ns', null, 15])
const quantity = mostly(fc.constantFrom('10Gi', '1', '0.5Ti', '1e10', '500M', '10240Mi'), ['0', '-1', '', '1.2.3', 'Gi', '1ki', '+5Gi', '1e', '0.0000000001', '1E', 5, null, '1e99'])
const bytes = mostly(fc.constantFrom('1GB', '512MiB', '0', '10', '1.5 GiB', '2k'), ['', '1 gigabyte', '-1', 'GB', '1GBB', '1iB', null, 5])
const cron = mostly(fc.constantFrom('0 2 * * *', '@daily', '*/15 0-6,12 1 jan-MAR mon', '0 0 1 1 ?'), ['@every', '60 * * * *', '* * *', '', 'every night', '0 2 * * 7', '0  2 * * *', '0 24 * * *', null])
const text = mostly(fc.constantFrom('x', '/data/cache', 'y z'), ['', null, 5, 'x'.repeat(5000), '💾'.repeat(1000)])
const image = mostly(fc.constantFrom('x', 'marmos91c/dittofs:v1', 'localhost:5000/a/b', `a@sha256:${'0'.repeat(64)}`, ''), ['A', 'a:', ':x', 'a b', 'a/b/', null, 5, 'x'.repeat(600)])
const region = mostly(fc.constantFrom('eu-west-1', 'auto'), ['', 'a b', null, 'x'.repeat(65)])
const amount = mostly(fc.constantFrom<unknown>('2', 2, '2000m', '2e0'), ['1', '1Gi', 0, '500m', '', 'x', '-1', null, 1.5, true, -1], 40)
const quantities = mostly(fc.dictionary(
  mostly(fc.constantFrom('cpu', 'memory', 'ephemeral-storage'), ['example.com/device', 'hugepages-2Mi', 'cpus', 'a/b/c', '__proto__', 'constructor']) as fc.Arbitrary<string>,
  amount, { maxKeys: 2 },
), [{ 'hugepages-2Mi': '4Mi' }, { 'hugepages-2Mi': '3Mi', cpu: 1 }, { 'example.com/device': 2 }, { 'example.com/device': '1.5' }, null, 7, []])
const profile = mostly(fc.constantFrom({ type: 'RuntimeDefault' }, { type: 'Unconfined' }, { type: 'Localhost', localhostProfile: 'a/b.json' }), [
  ...['/a', '../a', ' a', '', 'a.', null, 5].map(localhostProfile => ({ type: 'Localhost', localhostProfile })),
  ...['Foo', '', null].map(type => ({ type })), { type: 'Unconfined', localhostProfile: 'a' }, {}, 7,
], 80)
const uid = mostly(fc.constantFrom(65532, 1000), [0, '0', -1, -1.5, null, 2 ** 31, 2 ** 31 - 1], 80)
const runAs = { runAsUser: uid, runAsGroup: uid, runAsNonRoot: bool, seccompProfile: profile, appArmorProfile: profile }

const storage = some({ metadataSize: size, contentSize: size, cacheSize: size, controlPlaneSize: size, storageClassName: className, unknown: text }, ['metadataSize'])
const backup = some({
  enabled: bool,
  credentialsSecretRef: some({ name }),
  bucket: mostly(fc.constant('b'), ['', null, 5]),
  endpoint: mostly(fc.constant('e'), ['', null]),
  region,
  fullSchedule: cron,
  incrSchedule: cron,
  retentionDays: mostly(fc.constantFrom(1, 7, 365), [0, -1, '7', null]),
})
const dbName = mostly(fc.constantFrom('dittofs', 'é'.repeat(31)), ['', 'x'.repeat(63), 'x'.repeat(64), 'é'.repeat(32), null, 5])
/** Any spec: mostly valid, sometimes with invalid parts. */
export const arbitrarySpec = some({
  image,
  replicas: mostly(fc.constantFrom(0, 1), [2, -1, '1', null, 0.5]),
  storage,
  nfsPort: port,
  database: some({ type: mostly(fc.constantFrom('sqlite', 'postgres'), ['mysql', '', null]), sqlite: some({ path: text }), postgresSecretRef: selector }),
  cache: some({ path: text, size: bytes }),
  metrics: some({ enabled: bool, port }),
  controlPlane: some({ port }),
  identity: some({
    type: mostly(fc.constant('memory'), ['ldap', null]),
    jwt: some({ secretRef: selector, accessTokenDuration: duration, refreshTokenDuration: duration, issuer: text }),
    admin: some({ username: text, passwordSecretRef: selector }),
  }),
  service: some({
    type: mostly(fc.constantFrom('ClusterIP', 'NodePort', 'LoadBalancer'), ['ExternalName', '', null]),
    annotations: mostly(fc.dictionary(fc.constantFrom('a', 'b/c', 'constructor'), fc.constantFrom('x', '')), [{ __proto__x: '' }, { 'a/b/c': '' }, { 'A.b/C_d': '' }, { '': '' }, { a: 1 }, { a: null }, [], null]),
  }),
  smb: some({ enabled: bool, port, maxConnections: mostly(fc.constantFrom(0, 5), [-1, 2 ** 31, null]), credits: some({ strategy: mostly(fc.constantFrom('fixed', 'echo'), ['x', null]), minGrant: mostly(fc.constant(1), [0]) }) }),
  s3: some({ credentialsSecretRef: some({ secretName: name, accessKeyIdKey: key, endpointKey: key }, ['secretName']), region, bucket: text }),
  percona: some({
    enabled: bool,
    deleteWithServer: bool,
    replicas: mostly(fc.constantFrom(1, 3, 5), [0, 6, null]),
    storageSize: quantity,
    storageClassName: className,
    databaseName: dbName,
    backup,
  }),
  resources: some({ limits: quantities, requests: quantities, claims: mostly(fc.constant([]), [[{ name: 'a' }], [{}], [7], null]) }),
  securityContext: some({
    ...runAs,
    privileged: bool,
    allowPrivilegeEscalation: bool,
    procMount: mostly(fc.constant('Default'), ['Unmasked', null]),
    capabilities: some({ add: mostly(fc.constantFrom(['NET_BIND_SERVICE'], []), [['CAP_CHOWN'], [1], null]), drop: mostly(fc.constantFrom(['ALL'], []), [[1], 'ALL', [null]]) }),
    windowsOptions: some({ hostProcess: bool, runAsUserName: text }),
  }),
  podSecurityContext: some({
    ...runAs,
    fsGroup: uid,
    fsGroupChangePolicy: mostly(fc.constantFrom('OnRootMismatch', 'Always'), ['Never', null]),
    supplementalGroups: mostly(fc.constantFrom([], [1, 2]), [[-1], ['1'], [null]]),
    sysctls: mostly(fc.constantFrom([], [{ name: 'net.core.somaxconn', value: '1' }]), [[{ name: 'a', value: '1' }, { name: 'a', value: '2' }], [{ name: 'A', value: '' }], [{ name: 'a' }], [7]]),
  }),
}, ['storage'])
