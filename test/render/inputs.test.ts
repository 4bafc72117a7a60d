import t from 'tap'
import type { KubernetesObject } from '../../src/cluster/kubernetes-object.ts'
import { readDittoServer } from '../../src/dittoserver/dittoserver.ts'
import { exampleServer } from '../../src/manifests/example-server.ts'
import { sizeOf } from '../../src/render/claim.ts'
import { configFile } from '../../src/render/config-file.ts'
import { configurationObjects, render } from '../../src/render/index.ts'
import { renderInputs, restartAnnotations, restartReason, restartedAtAnnotation, templatesOf } from '../../src/render/inputs.ts'
import { podName } from '../../src/render/names.ts'
import { statefulSet } from '../../src/render/stateful-set.ts'
import { claimName, claimNames } from '../../src/render/volumes.ts'

const serverOf = (spec: object = {}) => readDittoServer(exampleServer(spec)).server
const setOf = (volumeClaimTemplates: readonly object[]): KubernetesObject =>
  ({ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'demo' }, spec: { volumeClaimTemplates } })
const digest = { configHash: 'abc', missing: [] }
const nothing = { statefulSet: undefined, pod: undefined, perconaCluster: undefined, perconaOperator: undefined }

t.test('claim templates are sent back as they were rendered, without the defaults of the API server', async t => {
  const resources = { requests: { storage: '10Gi' } }
  const cases: readonly [what: string, found: object, sent: object][] = [
    ['filled in', {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'metadata', creationTimestamp: null },
      spec: { accessModes: ['ReadWriteOnce'], resources, volumeMode: 'Filesystem' },
      status: { phase: 'Pending' },
    }, { metadata: { name: 'metadata' }, spec: { accessModes: ['ReadWriteOnce'], resources } }],
    ['with all that somebody may have set', {
      metadata: { name: 'a', labels: { x: 'y' }, annotations: { z: '' } },
      spec: { accessModes: ['ReadWriteMany'], storageClassName: '', resources, volumeMode: 'Block', volumeName: 'pv' },
    }, {
      metadata: { name: 'a', labels: { x: 'y' }, annotations: { z: '' } },
      spec: { accessModes: ['ReadWriteMany'], storageClassName: '', resources, volumeMode: 'Block', volumeName: 'pv' },
    }],
    ['with a class', { metadata: { name: 'a' }, spec: { storageClassName: 'fast' } }, { metadata: { name: 'a' }, spec: { storageClassName: 'fast' } }],
    ['with next to nothing', { metadata: { name: 'a' } }, { metadata: { name: 'a' }, spec: {} }],
  ]
  for (const [what, found, sent] of cases) t.strictSame(templatesOf(setOf([found])), [sent], what)
  t.equal(templatesOf(undefined), undefined)
  t.equal(templatesOf({ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'demo' } }), undefined)
})

t.test('the time of a manual restart is rendered, so that a recreated StatefulSet does not restart the pod again', async t => {
  const annotations = (value: string) => ({ [restartedAtAnnotation]: value, 'example.com/other': 'x' })
  const set: KubernetesObject = { ...setOf([]), spec: { template: { metadata: { annotations: annotations('now') } } } }
  const pod: KubernetesObject = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'demo-0', annotations: annotations('before') } }
  const restartedAt = (existing: object) => renderInputs(serverOf(), digest, { ...nothing, ...existing }).restartedAt
  t.equal(restartedAt({ statefulSet: set, pod }), 'now')
  t.equal(restartedAt({ pod }), 'before', 'while there is no StatefulSet')
  t.equal(restartedAt({ statefulSet: setOf([]), pod }), undefined)
  t.equal(restartedAt({}), undefined)
  const { template } = statefulSet(serverOf(), { ...digest, restartedAt: 'now' }).spec
  t.strictSame(template.metadata.annotations, { 'dittofs.io/config-hash': 'abc', [restartedAtAnnotation]: 'now' })
})

t.test('the reason of a restart is rendered with its time, and is that of this time only', async t => {
  const annotations = restartAnnotations('2026-01-01T00:00:00.000Z', 'new disks')
  const pod: KubernetesObject = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'demo-0', annotations } }
  const inputs = renderInputs(serverOf(), digest, { ...nothing, pod })
  const { template } = statefulSet(serverOf(), inputs).spec
  t.strictSame(template.metadata.annotations, { 'dittofs.io/config-hash': 'abc', ...annotations }, 'a recreated StatefulSet has the template of its pod')
  t.equal(restartReason(pod), 'new disks')
  const later = { metadata: { name: 'demo-0', annotations: { ...annotations, [restartedAtAnnotation]: '2026-01-02T00:00:00Z' } } }
  t.equal(restartReason(later), undefined, 'kubectl rollout restart gives none')
  t.equal(restartReason({ metadata: { name: 'demo-0' } }), undefined)
})

t.test('existing objects affect the rendered ones', async t => {
  t.strictSame(renderInputs(serverOf(), digest, nothing), { configHash: 'abc' })
  const template = { metadata: { name: 'metadata' }, spec: {} }
  t.strictSame(renderInputs(serverOf(), { ...digest, externalPostgres: 'url' }, { ...nothing, statefulSet: setOf([template]) }), {
    configHash: 'abc', externalPostgres: 'url', existingTemplates: [template],
  })
  const percona = serverOf({ percona: { enabled: true } })
  t.match(renderInputs(percona, digest, { ...nothing, perconaOperator: '2.8.0' }).percona, { crVersion: '2.8.0' })
  const perconaCluster = { apiVersion: '', kind: '', metadata: { name: 'demo-postgres' }, spec: { crVersion: '2.7.0' } }
  t.match(renderInputs(percona, digest, { ...nothing, perconaOperator: '2.8.0', perconaCluster }).percona, { crVersion: '2.7.0' })
})

const only = (kind: string, objects: ReturnType<typeof render>) => objects.filter(each => each.kind === kind)

t.test('rendering with few known inputs', async t => {
  const percona = serverOf({ percona: { enabled: true, backup: { enabled: true, bucket: 'b', endpoint: 'https://s3' } } })
  const [cluster] = only('PerconaPGCluster', render(percona, { configHash: '' }))
  const { pgbackrest } = (cluster?.object?.spec as { backups: { pgbackrest: object } }).backups
  t.ok('repos' in pgbackrest && !('configuration' in pgbackrest), 'backups without credentials name none')
  t.notOk('crVersion' in (cluster?.object?.spec as object), 'the Percona operator fills in its own version')
  const old = { ...cluster?.object, spec: { crVersion: '2.9.0', postgresVersion: 11 } } as KubernetesObject
  const inputs = renderInputs(percona, digest, { ...nothing, perconaCluster: old })
  t.notOk('image' in (only('PerconaPGCluster', render(percona, inputs))[0]?.object?.spec as object), 'no image is known for its version')
  const impossible = renderInputs(serverOf({ percona: { enabled: true, postgresVersion: 11 } }), digest, nothing)
  t.strictSame(only('PerconaPGCluster', render(percona, impossible)), [], 'a cluster that cannot be made is not rendered')
})

t.test('annotations exist only if they have a value', async t => {
  for (const { object } of configurationObjects(serverOf({ service: { annotations: {} } }))) t.notOk(object && 'annotations' in object.metadata)
  const annotationsOf = (secretVersions?: string) => {
    const inputs = { configHash: '', ...(secretVersions === undefined ? {} : { secretVersions }) }
    return only('StatefulSet', render(serverOf(), inputs))[0]?.object?.metadata.annotations
  }
  t.strictSame(annotationsOf(), { 'dittofs.dittofs.com/database': 'sqlite' })
  t.strictSame(annotationsOf('a=1'), { 'dittofs.dittofs.com/database': 'sqlite', 'dittofs.dittofs.com/secret-versions': 'a=1' })
})

interface Container { readonly env: readonly { readonly name: string }[], readonly resources?: object }
function containerOf (spec: object): Container | undefined {
  const [set] = only('StatefulSet', render(serverOf(spec), { configHash: '' }))
  return (set?.object?.spec as { template: { spec: { containers: Container[] } } }).template.spec.containers[0]
}

t.test('an empty region gives no variable, and empty resources are omitted', async t => {
  const envOf = (region: string) => containerOf({ s3: { region, credentialsSecretRef: { secretName: 'creds' } } })?.env.map(({ name }) => name)
  const names = ['DITTOFS_CONTROLPLANE_SECRET', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_ENDPOINT_URL']
  t.strictSame(envOf('a'), [...names, 'AWS_REGION'])
  t.strictSame(envOf(''), names)
  t.notOk('resources' in (containerOf({ resources: { limits: {} } }) ?? {}))
})

t.test('a long path stays on one line of config.yaml', async t => {
  const path = `/data/controlplane/${'a long name '.repeat(20)}.db`
  t.match(configFile(serverOf({ database: { sqlite: { path } } })), `path: ${path}\n`)
})

t.test('the names that controllers derive', async t => {
  t.equal(podName('demo'), 'demo-0')
  t.equal(claimName('cache', 'demo'), 'cache-demo-0')
  t.strictSame(claimNames('demo'), ['metadata-demo-0', 'content-demo-0', 'cache-demo-0', 'controlplane-demo-0'])
})

t.test('the size of a claim with optional parts', async t => {
  const metadata = { name: 'a' }
  t.equal(sizeOf({ metadata, spec: { resources: { requests: { storage: '1Gi' } } } }), '1Gi')
  const specs = [{}, { resources: {} }, { resources: { requests: {} } }]
  for (const claim of [undefined, { metadata }, ...specs.map(spec => ({ metadata, spec }))]) t.equal(sizeOf(claim), '0')
})
