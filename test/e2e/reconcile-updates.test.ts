import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { binariesOrSkip, startControlPlane } from '../control-plane/control-plane.ts'
import { asServiceAccount } from './installation.ts'
import { kubectlUser, serverOf, type Found, type FoundClaim, type FoundPod, type FoundService, type FoundStatefulSet } from './kubectl-user.ts'
import { startOperator } from './operator.ts'

// Changes of users to a DittoServer and to its objects, on a real API server with the real controllers.

const crd = fileURLToPath(new URL('../../manifests/crd.yaml', import.meta.url))
const hashAnnotation = 'dittofs.io/config-hash'
const binaries = await binariesOrSkip(t, { controllerManager: true })
if (binaries) {
  const plane = await startControlPlane(t, binaries, { crds: [crd], controllerManager: true })
  const { run, get, patch, apply, awaitObject, awaitGone, awaitCondition, awaitEvent } = kubectlUser(plane)
  const operator = await startOperator(t, [...await asServiceAccount(plane), '--no-webhook'])
  await operator.ready()

  const spec = async (name: string, change: object) => await patch('dittoserver', name, { spec: change })
  const awaitService = async (name: string, test: (service: FoundService) => unknown, what: string) => await awaitObject<FoundService>('service', name, test, what)
  const awaitStatefulSet = async (name: string, test: (found: FoundStatefulSet) => unknown, what: string, milliseconds?: number) =>
    await awaitObject<FoundStatefulSet>('statefulset', name, test, what, milliseconds)
  const hashOf = ({ spec: { template } }: FoundStatefulSet) => template.metadata.annotations[hashAnnotation]
  const ports = ({ spec }: FoundService) => spec.ports.map(({ name, port, targetPort }) => `${name} ${port} ${targetPort}`)
  const made = async (name: string, given: object = {}) => {
    await apply(serverOf(name, given))
    const statefulSet = await awaitStatefulSet(name, () => true, 'made')
    await awaitCondition(name, 'ConfigReady', 'True', 'ConfigValid')
    return statefulSet
  }
  /** Nothing schedules pods here: they are as ready as we say. */
  const letPodBeReady = async (name: string) => {
    await awaitObject('pod', `${name}-0`, () => true, 'made')
    const conditions = [{ type: 'Ready', status: 'True' }, { type: 'ContainersReady', status: 'True' }]
    await patch('pod', `${name}-0`, { status: { phase: 'Running', conditions } }, '--subresource=status')
  }

  t.test('stopped, and started again', async t => {
    await made('stop')
    await letPodBeReady('stop')
    await awaitCondition('stop', 'Ready', 'True', 'AllConditionsMet')
    t.equal((await get('dittoserver', 'stop'))?.status?.phase, 'Running')

    await spec('stop', { replicas: 0 })
    await awaitCondition('stop', 'Available', 'True', 'Stopped')
    await awaitGone('pod', 'stop-0')
    await awaitCondition('stop', 'Ready', 'True', 'AllConditionsMet')
    t.equal((await get('dittoserver', 'stop'))?.status?.phase, 'Stopped')
    t.ok(await get('pvc', 'metadata-stop-0'), 'the volumes stay')

    await spec('stop', { replicas: 1 })
    await awaitCondition('stop', 'Available', 'False', 'NoReplicasAvailable')
    await letPodBeReady('stop')
    await awaitCondition('stop', 'Ready', 'True', 'AllConditionsMet')
    t.equal((await get('dittoserver', 'stop'))?.status?.phase, 'Running')
  })

  t.test('metrics are enabled and disabled', async t => {
    await made('measured', { metrics: { enabled: true, port: 9191 } })
    const service = await awaitService('measured-metrics', () => true, 'made')
    t.strictSame(ports(service), ['metrics 9191 metrics'])
    await spec('measured', { metrics: { enabled: false } })
    await awaitGone('service', 'measured-metrics')
    await spec('measured', { metrics: { enabled: true } })
    await awaitService('measured-metrics', () => true, 'made again')
  })

  t.test('a foreign metrics Service is not deleted', async t => {
    const labels = { app: 'dittofs-server', instance: 'unmeasured', 'app.kubernetes.io/managed-by': 'dittofs-operator' }
    await apply({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'unmeasured-metrics', labels }, spec: { ports: [{ port: 1 }] } })
    const before = await get('service', 'unmeasured-metrics')
    await made('unmeasured')
    await spec('unmeasured', { nfsPort: 3049 })
    await awaitService('unmeasured-file', found => found.spec.ports[0]?.port === 3049, 'the new port')
    await awaitCondition('unmeasured', 'ConfigReady', 'True', 'ConfigValid')
    t.strictSame(await get('service', 'unmeasured-metrics'), before)

    await spec('unmeasured', { metrics: { enabled: true } })
    const { message } = await awaitCondition('unmeasured', 'ConfigReady', 'False', 'ForeignObject')
    t.match(message, 'Service unmeasured-metrics')
    t.strictSame(await get('service', 'unmeasured-metrics'), before)
    await spec('unmeasured', { metrics: { enabled: false } })
    await awaitCondition('unmeasured', 'ConfigReady', 'True', 'ConfigValid')
  })

  t.test('ports of the Services', async t => {
    const { metadata: { generation } } = await made('ports')
    const { spec: { clusterIP } } = await awaitService('ports-file', () => true, 'made')
    await spec('ports', { smb: { enabled: true, port: 4450 } })
    t.strictSame(ports(await awaitService('ports-file', found => found.spec.ports.length === 2, 'SMB')), ['nfs 12049 nfs', 'smb 4450 smb'])
    t.ok((await awaitStatefulSet('ports', found => found.metadata.generation > generation, 'a container port')), 'SMB is a port of the container as well')
    await spec('ports', { nfsPort: 2049 })
    t.strictSame(ports(await awaitService('ports-file', found => found.spec.ports[0]?.port === 2049, 'the new port')), ['nfs 2049 nfs', 'smb 4450 smb'])
    await awaitService('ports-headless', found => found.spec.ports[0]?.port === 2049, 'the new port')
    await awaitObject('dittoserver', 'ports', ({ status }) => JSON.stringify(status).includes('ports-file.default.svc.cluster.local:2049'), 'its endpoint')
    await spec('ports', { smb: { enabled: false } })
    const service = await awaitService('ports-file', found => found.spec.ports.length === 1, 'no SMB')
    t.strictSame(ports(service), ['nfs 2049 nfs'])
    t.equal(service.spec.clusterIP, clusterIP)
  })

  t.test('type and annotations of the Services', async t => {
    const before = await made('typed', { service: { annotations: { 'example.com/pool': 'a', 'example.com/zone': 'z' } } })
    await run(['annotate', 'service', 'typed-file', 'example.org/theirs=kept'])
    await spec('typed', { service: { type: 'LoadBalancer', annotations: { 'example.com/pool': 'b' } } })
    const changed = await awaitService('typed-file', found => found.spec.type === 'LoadBalancer', 'its type')
    t.match(changed.metadata.annotations, { 'example.com/pool': 'b', 'example.com/zone': 'z', 'example.org/theirs': 'kept' })
    await awaitService('typed-api', found => found.spec.type === 'LoadBalancer' && found.metadata.annotations?.['example.com/pool'] === 'b', 'its type')
    t.equal((await get<FoundService>('service', 'typed-headless'))?.spec.type, 'ClusterIP')

    await spec('typed', { service: { annotations: { 'example.com/zone': null } } })
    const fewer = await awaitService('typed-file', found => !('example.com/zone' in (found.metadata.annotations ?? {})), 'an annotation less')
    t.match(fewer.metadata.annotations, { 'example.com/pool': 'b', 'example.org/theirs': 'kept' })
    await spec('typed', { service: { type: 'NodePort', annotations: null } })
    await awaitService('typed-file', found => found.spec.type === 'NodePort' && !('example.com/pool' in (found.metadata.annotations ?? {})), 'no annotation')
    await spec('typed', { service: { type: 'ClusterIP' } })
    const last = await awaitService('typed-file', found => found.spec.type === 'ClusterIP', 'its type')
    t.equal(last.metadata.annotations?.['example.org/theirs'], 'kept')
    t.equal(last.spec.clusterIP, changed.spec.clusterIP)

    await awaitCondition('typed', 'ConfigReady', 'True', 'ConfigValid')
    const after = await get<FoundStatefulSet>('statefulset', 'typed')
    t.strictSame(after?.spec.template, before.spec.template, 'the pod has no part in it')
    t.equal(after?.metadata.generation, before.metadata.generation)
  })

  t.test('another image', async t => {
    const before = await made('imaged')
    await letPodBeReady('imaged')
    await awaitCondition('imaged', 'Ready', 'True', 'AllConditionsMet')
    const { metadata: { uid } } = await awaitObject('pod', 'imaged-0', () => true, 'ready')
    await spec('imaged', { image: 'example.com/dittofs:2' })
    const after = await awaitStatefulSet('imaged', found => found.spec.template.spec.containers[0].image === 'example.com/dittofs:2', 'the image')
    t.equal(hashOf(after), hashOf(before), 'the configuration is the same')
    await awaitObject('pod', 'imaged-0', found => found.metadata.uid !== uid, 'replaced')
    await awaitEvent('imaged', 'Normal', 'StatefulSetUpdating')
    await letPodBeReady('imaged')
    await awaitCondition('imaged', 'Progressing', 'False', 'ReconcileComplete')
  })

  t.test('another image, for a pod that never became ready', async t => {
    await made('mistyped', { image: 'example.com/ditofs:2' })
    const { metadata: { uid } } = await awaitObject('pod', 'mistyped-0', () => true, 'made')
    await spec('mistyped', { image: 'example.com/dittofs:2' })
    const pod = await awaitObject<FoundPod>('pod', 'mistyped-0', found => found.metadata.uid !== uid, 'replaced')
    t.equal(pod.spec.containers[0].image, 'example.com/dittofs:2')
  })

  t.test('an S3 Secret that is late, rotated, and deleted', async t => {
    let before = await made('stored', { s3: { credentialsSecretRef: { secretName: 'stored-s3' } } })
    const keys = (version: number) => ['--from-literal', `accessKeyId=id${version}`, '--from-literal', `secretAccessKey=key${version}`]
    const seen = [hashOf(before)]
    const restartsOnce = async (what: string, act: () => Promise<unknown>) => {
      const { metadata: { generation } } = before
      await act()
      before = await awaitStatefulSet('stored', found => hashOf(found) !== hashOf(before), what, 5000)
      seen.push(hashOf(before))
      // Whatever else it might bring about would come at once.
      await delay(1000)
      t.equal((await get('statefulset', 'stored'))?.metadata.generation, generation + 1, `${what}: one restart`)
    }
    await restartsOnce('created', async () => await run(['create', 'secret', 'generic', 'stored-s3', ...keys(1)]))
    await restartsOnce('rotated', async () => {
      const secret = await run(['create', 'secret', 'generic', 'stored-s3', ...keys(2), '--dry-run=client', '-o', 'json'])
      await run(['replace', '-f', '-'], secret)
    })
    await restartsOnce('deleted', async () => await run(['delete', 'secret', 'stored-s3']))
    t.equal(seen.at(-1), seen[0], 'absence always gives the same hash')
    t.equal(new Set(seen).size, 3)
    t.equal((await get<Found & { status: { configHash: string } }>('dittoserver', 'stored'))?.status.configHash, seen[0])

    const { metadata: { generation } } = before
    await run(['create', 'secret', 'generic', 'unrelated', ...keys(1)])
    await run(['label', 'secret', 'stored-jwt-secret', 'example.com/touched=yes'])
    await delay(1000)
    t.equal((await get('statefulset', 'stored'))?.metadata.generation, generation, 'what leaves the data as it is, or concerns no one, restarts nothing')
  })

  t.test('a foreign ConfigMap', async t => {
    await run(['create', 'configmap', 'x-config', '--from-literal', 'mine=yes'])
    const foreign = await get('configmap', 'x-config')
    await apply(serverOf('x'))
    const { message } = await awaitCondition('x', 'ConfigReady', 'False', 'ForeignObject')
    t.match(message, /ConfigMap x-config .*does not belong/)
    await awaitCondition('x', 'Ready', 'False', 'ConditionsNotMet')
    await awaitEvent('x', 'Warning', 'ForeignObject')
    t.strictSame(await get('configmap', 'x-config'), foreign)
    t.equal(await get('statefulset', 'x'), undefined)
    await run(['delete', 'configmap', 'x-config'])
    await awaitCondition('x', 'ConfigReady', 'True', 'ConfigValid')
    await awaitStatefulSet('x', () => true, 'made')
    t.ok((await get('configmap', 'x-config'))?.data?.['config.yaml'])
  })

  t.test('changes of others to our objects are reverted', async t => {
    await made('drift')
    const config = await get('configmap', 'drift-config')
    await patch('configmap', 'drift-config', { data: { 'config.yaml': 'nonsense' } })
    await awaitObject('configmap', 'drift-config', found => found.data?.['config.yaml'] === config?.data?.['config.yaml'], 'its data')
    await run(['label', 'configmap', 'drift-config', 'app.kubernetes.io/managed-by-', 'app-'])
    await awaitObject('configmap', 'drift-config', found => found.metadata.labels?.app === 'dittofs-server', 'its labels')
    await run(['delete', 'configmap', 'drift-config'])
    await awaitObject('configmap', 'drift-config', found => found.metadata.uid !== config?.metadata.uid, 'made again')

    const service = await get<FoundService>('service', 'drift-api')
    await patch('service', 'drift-api', { spec: { ports: [{ name: 'api', port: 81, targetPort: 81 }], selector: { app: 'else' } } })
    const repaired = await awaitService('drift-api', found => found.spec.ports[0]?.port === 8080, 'its port')
    t.strictSame(repaired.spec, service?.spec)
    await spec('drift', { controlPlane: { port: 8081 } })
    t.strictSame(ports(await awaitService('drift-api', found => found.spec.ports.every(({ port }) => port === 8081), 'its new port')), ['api 8081 api'])
    await run(['delete', 'service', 'drift-headless'])
    await awaitService('drift-headless', found => found.spec.clusterIP === 'None', 'made again')
    await patch('statefulset', 'drift', { spec: { template: { spec: { enableServiceLinks: true } } } })
    await awaitStatefulSet('drift', found => (found.spec.template.spec as { enableServiceLinks?: boolean }).enableServiceLinks === false, 'its pod')
    await run(['delete', 'statefulset', 'drift'])
    await awaitStatefulSet('drift', found => found.metadata.deletionTimestamp === undefined, 'made again')
  })

  t.test('an object that should have been refused', async t => {
    await made('clash')
    const objects = async () => await Promise.all([get('service', 'clash-file'), get('statefulset', 'clash'), get('configmap', 'clash-config')])
    const kept = await objects()
    await spec('clash', { smb: { enabled: true, port: 12049 }, cache: { size: '2GB' } })
    const { message } = await awaitCondition('clash', 'ConfigReady', 'False', 'PortConflict')
    t.match(message, /spec\.smb\.port: 12049 .*nfs/)
    await awaitCondition('clash', 'Stalled', 'True', 'PortConflict')
    await awaitCondition('clash', 'Progressing', 'False', 'PortConflict')
    await awaitEvent('clash', 'Warning', 'PortConflict')
    t.equal((await get('dittoserver', 'clash'))?.status?.phase, 'Failed')
    const versions = (objects: readonly (Found | undefined)[]) =>
      objects.map(found => [found?.metadata.uid, found?.metadata.generation, found?.spec, found?.data])
    t.strictSame(versions(await objects()), versions(kept))
    await spec('clash', { smb: { port: 12445 } })
    await awaitCondition('clash', 'ConfigReady', 'True', 'ConfigValid')
    t.notMatch((await get('dittoserver', 'clash'))?.status?.conditions, [{ type: 'Stalled' }])
    await awaitService('clash-file', found => found.spec.ports.length === 2, 'SMB')
  })

  t.test('the database of a server cannot be changed', async t => {
    const before = await made('settled')
    await t.rejects(spec('settled', { database: { postgresSecretRef: { name: 'pg', key: 'url' } } }), /DB-TYPE-CHANGE/)
    t.strictSame((await get('statefulset', 'settled'))?.metadata.generation, before.metadata.generation)
  })

  await t.test('volumes that grow', async t => {
    const metadata = { name: 'expandable' }
    await apply({ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata, provisioner: 'example.com/none', allowVolumeExpansion: true })
    const claims = ['metadata', 'cache', 'controlplane']
    const volumeFor = async (claim: string, storage: string) => await apply({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: claim },
      spec: {
        capacity: { storage },
        accessModes: ['ReadWriteOnce'],
        storageClassName: 'expandable',
        persistentVolumeReclaimPolicy: 'Retain',
        csi: { driver: 'example.com', volumeHandle: claim },
        claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: 'default', name: claim },
      },
    })
    const storage = { metadataSize: '10Gi', storageClassName: 'expandable' }
    const awaitClaim = async (name: string, test: (found: FoundClaim) => unknown, what: string) => await awaitObject<FoundClaim>('pvc', name, test, what)
    const requested = ({ spec }: FoundClaim) => spec.resources.requests.storage

    t.test('bound', async t => {
      for (const claim of claims) await volumeFor(`${claim}-grown-0`, claim === 'metadata' ? '10Gi' : claim === 'cache' ? '5Gi' : '1Gi')
      const before = await made('grown', { storage })
      const uids: Record<string, string> = {}
      for (const claim of claims) {
        const { metadata: { name, uid } } = await awaitClaim(`${claim}-grown-0`, found => found.status?.phase === 'Bound', 'bound')
        uids[name] = uid
      }
      await letPodBeReady('grown')
      await awaitCondition('grown', 'StorageReady', 'True', 'StorageReady')
      const pod = await get('pod', 'grown-0')
      await spec('grown', { storage: { cacheSize: '10Gi' } })
      await awaitClaim('cache-grown-0', found => requested(found) === '10Gi', 'its size')
      const after = await awaitStatefulSet('grown', found => found.metadata.uid !== before.metadata.uid, 'replaced')
      t.strictSame(after.spec.volumeClaimTemplates.map(template => `${template.metadata.name} ${template.spec.resources.requests.storage}`),
        ['metadata 10Gi', 'cache 10Gi', 'controlplane 1Gi'])
      t.strictSame(after.spec.template, before.spec.template)
      await awaitCondition('grown', 'StorageReady', 'True', 'Expanding')
      await awaitCondition('grown', 'Ready', 'True', 'AllConditionsMet')
      await patch('pvc', 'cache-grown-0', { status: { capacity: { storage: '10Gi' } } }, '--subresource=status')
      await awaitCondition('grown', 'StorageReady', 'True', 'StorageReady')
      for (const [name, uid] of Object.entries(uids)) t.equal((await get('pvc', name))?.metadata.uid, uid, name)
      t.equal((await get('pod', 'grown-0'))?.metadata.uid, pod?.metadata.uid, 'the pod runs on')
      t.equal((await get('statefulset', 'grown'))?.metadata.uid, after.metadata.uid, 'replaced once')
    })

    t.test('not bound yet', async t => {
      const before = await made('waiting', { storage })
      for (const claim of claims) await awaitClaim(`${claim}-waiting-0`, () => true, 'made')
      await awaitCondition('waiting', 'StorageReady', 'True', 'StorageReady')
      await spec('waiting', { storage: { cacheSize: '10Gi' }, nfsPort: 2049 })
      const { message } = await awaitCondition('waiting', 'StorageReady', 'False', 'ExpansionRefused')
      t.match(message, 'cache-waiting-0')
      await awaitEvent('waiting', 'Warning', 'ExpansionRefused')
      t.equal((await get('statefulset', 'waiting'))?.metadata.uid, before.metadata.uid)
      t.equal((await get<FoundService>('service', 'waiting-file'))?.spec.ports[0]?.port, 2049, 'all else goes on')
      await volumeFor('cache-waiting-0', '5Gi')
      await awaitClaim('cache-waiting-0', found => requested(found) === '10Gi', 'its size, once it is bound')
      await awaitStatefulSet('waiting', found => found.metadata.uid !== before.metadata.uid, 'replaced')
    })

    t.test('with a StorageClass that is made expandable later', async () => {
      await patch('storageclass', 'expandable', { allowVolumeExpansion: false })
      await volumeFor('cache-forbidden-0', '5Gi')
      await made('forbidden', { storage })
      await awaitClaim('cache-forbidden-0', found => found.status?.phase === 'Bound', 'bound')
      await spec('forbidden', { storage: { cacheSize: '10Gi' } })
      await awaitCondition('forbidden', 'StorageReady', 'False', 'ExpansionRefused')
      await patch('storageclass', 'expandable', { allowVolumeExpansion: true })
      await awaitClaim('cache-forbidden-0', found => requested(found) === '10Gi', 'its size')
    })

    t.test('claims of an earlier server', async t => {
      await run(['delete', 'dittoserver', 'grown'])
      await awaitGone('statefulset', 'grown')
      await made('grown', { storage: { ...storage, metadataSize: '20Gi', cacheSize: '10Gi' } })
      await awaitClaim('metadata-grown-0', found => requested(found) === '20Gi', 'its size')
      await awaitCondition('grown', 'StorageReady', 'True', 'Expanding')
      await patch('pvc', 'metadata-grown-0', { status: { capacity: { storage: '20Gi' } } }, '--subresource=status')
      await awaitCondition('grown', 'StorageReady', 'True', 'StorageReady')
      t.equal(requested(await awaitClaim('cache-grown-0', () => true, 'there')), '10Gi')
    })
  })

  t.test('a StorageClass that is created later', async t => {
    await made('early', { storage: { metadataSize: '1Gi', storageClassName: 'of-tomorrow' } })
    const { message } = await awaitCondition('early', 'StorageReady', 'False', 'StorageClassMissing')
    t.match(message, "StorageClass 'of-tomorrow' does not exist")
    t.match((await get('dittoserver', 'early'))?.status?.conditions?.find(({ type }) => type === 'Ready'), { status: 'False' })
    await apply({ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'of-tomorrow' }, provisioner: 'example.com/none' })
    await awaitCondition('early', 'StorageReady', 'True', 'StorageReady')
  })

  for (const cascade of ['background', 'foreground']) {
    t.test(`deleted, ${cascade}`, async t => {
      const name = `gone-${cascade}`
      await made(name, { metrics: { enabled: true } })
      const claims = ['metadata', 'cache', 'controlplane'].map(claim => `${claim}-${name}-0`)
      for (const claim of claims) await awaitObject('pvc', claim, () => true, 'made')
      await run(['delete', 'dittoserver', name, `--cascade=${cascade}`, '--wait=false'])
      await awaitGone('dittoserver', name)
      await awaitGone('statefulset', name)
      await awaitGone('pod', `${name}-0`)
      await awaitGone('configmap', `${name}-config`)
      await awaitGone('secret', `${name}-jwt-secret`)
      for (const service of ['headless', 'file', 'api', 'metrics']) await awaitGone('service', `${name}-${service}`)
      for (const claim of claims) t.equal((await get('pvc', claim))?.metadata.deletionTimestamp, undefined, claim)
      for (const claim of claims) t.ok(await get('pvc', claim), claim)
    })
  }

  t.test('no unexpected errors', async t => {
    const unexpected = operator.lines.filter(line => (line.level === 'error' || line.level === 'warn') && !JSON.stringify(line).includes('does not belong to this DittoServer'))
    t.strictSame(unexpected, [])
  })
}
