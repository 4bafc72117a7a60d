import { fileURLToPath } from 'node:url'
import t from 'tap'
import { binariesOrSkip, eventually, startControlPlane } from '../control-plane/control-plane.ts'
import { asServiceAccount, isNamespaced } from './installation.ts'
import { startOperator } from './operator.ts'

// The output of `kubectl apply` in a terminal, with the real kubectl, API server, webhook configurations and operator.

const manifests = fileURLToPath(new URL('../../manifests/', import.meta.url))

const binaries = await binariesOrSkip(t)
if (binaries) {
  const plane = await startControlPlane(t, binaries, { crds: [`${manifests}crd.yaml`], webhooks: [`${manifests}webhooks.yaml`] })
  const { kubectl, webhook } = plane
  if (!webhook) throw new Error('no webhook')
  const operator = await startOperator(t, [...await asServiceAccount(plane), '--tls-dir', webhook.certDir, '--port', String(webhook.port)])
  await operator.ready()

  const manifest = (name: string, spec: object, metadata: object = {}) => JSON.stringify({
    apiVersion: 'dittofs.dittofs.com/v1alpha1', kind: 'DittoServer', metadata: { name, ...metadata }, spec,
  })
  const apply = async (name: string, spec: object, args: string[] = [], metadata: object = {}) =>
    await kubectl(['apply', ...args, '-f', '-'], manifest(name, spec, metadata))
  const storage = { metadataSize: '10Gi' }
  const read = async (name: string, path: string) => (await kubectl(['get', 'dittoserver', name, '-o', `jsonpath={${path}}`])).stdout
  const storageClass = (name: string, rest: object = {}) => JSON.stringify({
    apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name, ...rest }, provisioner: 'example.com/none', allowVolumeExpansion: true,
  })
  await kubectl(['apply', '-f', '-'], storageClass('standard', { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } }))
  await kubectl(['apply', '-f', '-'], storageClass('gp3'))
  // The watch has seen it.
  await eventually(async () => !(await apply('warm-up', { storage })).stderr.includes('Warning'), 'the default class is known')

  t.test('cacheSize becomes 5Gi: absent, empty, null', async t => {
    for (const [name, cacheSize] of [['absent', undefined], ['empty', ''], ['null', null]] as const) {
      const { code, stdout, stderr } = await apply(name, { storage: { ...storage, cacheSize } })
      t.strictSame({ code, stdout, stderr }, { code: 0, stdout: `dittoserver.dittofs.dittofs.com/${name} created\n`, stderr: '' })
      t.equal(await read(name, '.spec.storage.cacheSize'), '5Gi')
    }
    t.equal((await apply('given', { storage: { ...storage, cacheSize: '1024Mi' } })).code, 0)
    t.equal(await read('given', '.spec.storage.cacheSize'), '1024Mi', 'what was given is not rewritten')
  })

  t.test('applying twice changes nothing', async t => {
    t.match((await apply('empty', { storage: { ...storage, cacheSize: '5Gi' } })).stdout, 'configured')
    t.match((await apply('empty', { storage: { ...storage, cacheSize: '5Gi' } })).stdout, 'unchanged')
  })

  t.test('a StorageClass that does not exist is refused, with the alternatives', async t => {
    const { code, stdout, stderr } = await apply('fast', { storage: { ...storage, storageClassName: 'fast' } })
    t.strictSame({ code, stdout, stderr }, {
      code: 1,
      stdout: '',
      stderr: 'The DittoServer "fast" is invalid: spec.storage.storageClassName: Not found: \'fast\': no such StorageClass; available: \'gp3\', \'standard\' [SC-MISSING]\n',
    })
    t.equal((await kubectl(['get', 'dittoserver', 'fast'])).code, 1)
  })

  t.test('in a dry run this is only a warning', async t => {
    const { code, stdout, stderr } = await apply('fast', { storage: { ...storage, storageClassName: 'fast' } }, ['--dry-run=server'])
    t.equal(code, 0)
    t.equal(stdout, 'dittoserver.dittofs.dittofs.com/fast created (server dry run)\n')
    t.match(stderr, /^Warning: spec\.storage\.storageClassName: Not found: 'fast': .* \(only a warning in a dry run\) \[SC-MISSING\]\n$/)
  })

  t.test('a StorageClass that was just created is found', async t => {
    await kubectl(['apply', '-f', '-'], storageClass('brand-new'))
    t.equal((await apply('brand-new', { storage: { ...storage, storageClassName: 'brand-new' } })).code, 0)
  })

  t.test('several errors are reported together, one line each', async t => {
    const { stderr } = await apply('wrong', { storage: { ...storage, storageClassName: 'fast' }, percona: { enabled: true }, smb: { enabled: true, port: 12049 } })
    t.strictSame(stderr.split('\n'), [
      'Warning: spec.smb.port: 12049 is also the nfs port; one Service cannot carry both [PORT-CONFLICT]',
      'The DittoServer "wrong" is invalid: ',
      '* spec.storage.storageClassName: Not found: \'fast\': no such StorageClass; available: \'brand-new\', \'gp3\', \'standard\' [SC-MISSING]',
      '* spec.percona.enabled: Not found: no PerconaPGCluster API; install the Percona operator for PostgreSQL [PG-CRD-MISSING]',
      '',
    ])
  })

  t.test('absent Secret, absent key, port conflict, privileged port: warnings, and the object is stored', async t => {
    const spec = { storage, s3: { credentialsSecretRef: { secretName: 's3' } }, metrics: { enabled: true, port: 8080 }, nfsPort: 111 }
    const first = await apply('warned', spec)
    t.equal(first.code, 0)
    t.strictSame(first.stderr.trim().split('\n'), [
      'Warning: spec.metrics.port: 8080 is also the api port; one container cannot bind both [PORT-CONFLICT]',
      'Warning: spec.nfsPort: 111 is privileged; it works: only the Service uses it, and the server listens on 12049 [PORT-PRIV]',
      'Warning: spec.s3.credentialsSecretRef.secretName: Secret \'s3\' does not exist; the pod does not start until it exists [S3-SECRET-MISSING]',
    ])
    t.match(first.stdout, 'created')
    await kubectl(['create', 'secret', 'generic', 's3', '--from-literal=accessKeyId=AKIAEXAMPLE'])
    const second = await apply('warned-2', { storage, s3: spec.s3 })
    t.equal(second.stderr, 'Warning: spec.s3.credentialsSecretRef.secretAccessKeyKey: Secret \'s3\' has no key \'secretAccessKey\' [S3-KEY-SECRET]\n')
    await kubectl(['patch', 'secret', 's3', '-p', '{"stringData":{"secretAccessKey":"very-secret-value"}}'])
    await eventually(async () => (await apply(`warned-${Date.now()}`, { storage, s3: spec.s3 })).stderr === '', 'the Secret is complete', 5_000)
    t.notMatch(operator.said.join('\n'), /very-secret-value|AKIAEXAMPLE/, 'no value of a Secret is in the log')
    t.notMatch((await operator.get('/metrics')).text, /very-secret-value|AKIAEXAMPLE/)
  })

  t.test('a Secret in another namespace does not count', async t => {
    await kubectl(['create', 'namespace', 'elsewhere'])
    const { stderr } = await apply('other', { storage, s3: { credentialsSecretRef: { secretName: 's3' } } }, ['-n', 'elsewhere'])
    t.match(stderr, isNamespaced ? /only Secrets in namespace default are looked up/ : /Secret 's3' does not exist/)
  })

  t.test('kubectl can treat warnings as errors', async t => {
    t.not((await apply('strict', { storage, nfsPort: 111 }, ['--warnings-as-errors'])).code, 0)
  })

  t.test('an object whose StorageClass was deleted can still be edited and deleted', async t => {
    t.equal((await apply('orphaned', { storage: { ...storage, storageClassName: 'brand-new' } }, [], { finalizers: ['example.com/hold'] })).code, 0)
    await kubectl(['delete', 'storageclass', 'brand-new'])
    await eventually(async () => (await apply('probe', { storage: { ...storage, storageClassName: 'brand-new' } })).code !== 0, 'the class is known to be gone')
    const label = await kubectl(['label', 'dittoserver', 'orphaned', 'team=storage'])
    t.strictSame([label.code, label.stderr], [0, ''])
    const edit = await kubectl(['patch', 'dittoserver', 'orphaned', '--type=merge', '-p', '{"spec":{"nfsPort":2049}}'])
    t.strictSame([edit.code, edit.stderr], [0, ''])
    await kubectl(['delete', 'dittoserver', 'orphaned', '--wait=false'])
    const release = await kubectl(['patch', 'dittoserver', 'orphaned', '--type=json', '-p', '[{"op":"remove","path":"/metadata/finalizers"},{"op":"replace","path":"/spec/nfsPort","value":111}]'])
    t.strictSame([release.code, release.stderr], [0, ''])
    t.equal((await kubectl(['get', 'dittoserver', 'orphaned'])).code, 1, 'it is gone')
  })

  t.test('decisions are visible in metrics and log', async t => {
    const { text } = await operator.get('/metrics')
    t.match(text, /controller_runtime_webhook_requests_total\{webhook="validate",code="200"\} [1-9]/)
    t.match(text, /dittofs_operator_admission_findings_total\{rule="SC-MISSING",severity="deny"\} [1-9]/)
    t.match(text, /dittofs_operator_admission_decisions_total\{operation="CREATE",decision="deny",dry_run="false"\} [1-9]/)
    const line = operator.lines.find(({ msg, name }) => msg === 'reviewed' && name === 'fast')
    t.match(line, { webhook: /./, operation: 'CREATE', namespace: 'default', user: 'envtest-admin', uid: /^[-0-9a-f]{36}$/ })
    t.strictSame(operator.lines.filter(({ level }) => level === 'error' || level === 'fatal'), [])
  })

  t.test('if the API server does not answer lookups, the result is a warning within the deadline', async t => {
    // Straight to the webhook: the API server, which is stopped here, cannot call it.
    const { reviewOf } = await import('./direct-review.ts')
    plane.signalApiServer('SIGSTOP')
    try {
      const started = performance.now()
      const response = await reviewOf(webhook, { storage: { ...storage, storageClassName: 'never-seen' }, s3: { credentialsSecretRef: { secretName: 'never-seen' } } }, '10s')
      t.ok(performance.now() - started < 10_000, 'in time')
      t.equal(response.allowed, true)
      const reason = isNamespaced ? 'only Secrets in namespace default are looked up' : 'timed out'
      t.strictSame(response.warnings, [
        'spec.storage.storageClassName: could not verify StorageClass \'never-seen\': timed out [UNVERIFIED]',
        `spec.s3.credentialsSecretRef.secretName: could not verify Secret 'never-seen': ${reason} [UNVERIFIED]`,
      ])
    } finally {
      plane.signalApiServer('SIGCONT')
    }
  })

  t.test('it stops on a signal', async t => {
    operator.child.kill('SIGTERM')
    t.strictSame(await operator.exited, [0, null])
  })
}
