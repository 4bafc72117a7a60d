import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { binariesOrSkip, eventually, startControlPlane } from '../control-plane/control-plane.ts'
import { counterpartsOrSkip } from '../counterparts/counterparts.ts'
import { startPerconaOperator } from '../counterparts/percona-operator.ts'
import { asServiceAccount } from '../e2e/installation.ts'
import { kubectlUser, serverOf, type Found } from '../e2e/kubectl-user.ts'
import { startOperator } from '../e2e/operator.ts'
import { stopwatch } from './stopwatch.ts'

// The real Percona operator processes the rendered objects. Its pods do not run here: the test checks the objects that it creates.

const crd = fileURLToPath(new URL('../../manifests/crd.yaml', import.meta.url))
/** Milliseconds. Both operators settle long before that. */
const patience = 120_000
/** How long no client may write anything. */
const quiet = 60_000

interface FoundCluster extends Found {
  spec: Found['spec'] & { crVersion?: string, image?: string, backups: { enabled: boolean }, instances: { replicas: number }[] }
}

interface FoundPod extends Found {
  spec: Found['spec'] & { containers: { name: string }[] }
}

const binaries = await binariesOrSkip(t, { controllerManager: true })
const programs = binaries && await counterpartsOrSkip(t, ['percona-operator', 'percona-crds.yaml'])
if (binaries && programs) {
  t.setTimeout(1_200_000)
  const plane = await startControlPlane(t, binaries, { crds: [crd], controllerManager: true })
  const { run, get, patch, apply, awaitObject, awaitGone, awaitCondition } = kubectlUser(plane)
  const operator = await startOperator(t, [...await asServiceAccount(plane), '--no-webhook'])
  await operator.ready(60_000)

  const cluster = async (name: string) => await get<FoundCluster>('perconapgcluster', `${name}-postgres`)
  const userSecret = async (name: string) =>
    await awaitObject('secret', `${name}-postgres-pguser-dittofs`, ({ data }) => data?.uri, 'a connection', patience)
  const percona = async (name: string, change: object) => await patch('dittoserver', name, { spec: { percona: change } })
  const instances = async (name: string) => {
    const selector = `postgres-operator.crunchydata.com/cluster=${name}-postgres,postgres-operator.crunchydata.com/instance-set=instance1`
    return (JSON.parse(await run(['get', 'statefulset,pvc', '-l', selector, '-o', 'json'])) as { items: Found[] }).items
  }
  /** Versions of all that either operator writes about a server. */
  const versions = async (name: string) => {
    const kinds = 'statefulset,deployment,service,configmap,secret,pvc,perconapgcluster,postgresclusters.postgres-operator.crunchydata.com,dittoserver'
    const { items } = JSON.parse(await run(['get', kinds, '-o', 'json'])) as { items: (Found & { kind: string })[] }
    return items.filter(({ metadata }) => metadata.name.startsWith(name))
      .map(({ kind, metadata }) => `${kind} ${metadata.name} ${metadata.resourceVersion}`).sort()
  }

  const storageClass = { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'expandable' } }
  await apply({ ...storageClass, provisioner: 'example.com/none', allowVolumeExpansion: true })
  const volumeFor = (claim: string) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: claim },
    spec: {
      capacity: { storage: '10Gi' },
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'expandable',
      persistentVolumeReclaimPolicy: 'Retain',
      csi: { driver: 'example.com', volumeHandle: claim },
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: 'default', name: claim },
    },
  })
  const plain = { enabled: true, storageClassName: 'expandable' }

  const other = await (async () => {
    await apply(serverOf('plain', { percona: plain }))
    await awaitCondition('plain', 'DatabaseReady', 'False', 'PerconaNotInstalled')
    await run(['create', '-f', programs['percona-crds.yaml']])
    return await startPerconaOperator(t, plane, programs['percona-operator'])
  })()

  t.test('Percona is installed after the server was created', async t => {
    const time = stopwatch(t)
    await awaitObject<FoundCluster>('perconapgcluster', 'plain-postgres', ({ spec }) => spec.crVersion === '2.9.0', 'of this release', patience)
    time.lap('PerconaPGCluster')
    await userSecret('plain')
    time.lap('Secret of the user')
    const found = await eventually(async () => {
      const items = await instances('plain')
      return items.length >= 2 && items
    }, 'its StatefulSet and its claim', patience)
    time.lap('StatefulSet and claim')
    t.match(found.map(({ metadata }) => metadata.name), [/^plain-postgres-instance1/, /^plain-postgres-instance1/])
    await awaitObject('deployment', 'plain-postgres-pgbouncer', () => true, 'made', patience)
    await awaitCondition('plain', 'DatabaseReady', 'False', 'PerconaNotReady', patience)
  })

  t.test('backups from the start, disabled, and enabled again', async t => {
    const time = stopwatch(t)
    const conf = '[global]\nrepo1-s3-key=key\nrepo1-s3-key-secret=secret\n'
    await apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'pgbackrest' }, stringData: { 's3.conf': conf } })
    const backup = {
      enabled: true, bucket: 'backups', endpoint: 'https://s3.example.com', credentialsSecretRef: { name: 'pgbackrest' }, fullSchedule: '* * * * *',
    }
    await apply(serverOf('backed', { percona: { enabled: true, backup } }))
    await userSecret('backed')
    const hasRepoHost = async () => await get('statefulset', 'backed-postgres-repo-host') !== undefined
    const repoHost = async (is: boolean) => await eventually(async () => await hasRepoHost() === is, `repo host: ${is}`, patience)
    const isConfigured = ({ data }: Found) => JSON.stringify(data).includes('backups')
    const configured = await awaitObject('configmap', 'backed-postgres-pgbackrest-config', isConfigured, 'the bucket', patience)
    t.match(JSON.stringify(configured.data), /repo1-retention-full *= *7/)
    const { spec } = await awaitObject<FoundCluster>('postgresclusters.postgres-operator.crunchydata.com', 'backed-postgres', () => true, 'made', patience)
    t.match(spec.backups, { pgbackrest: { configuration: [{ secret: { name: 'pgbackrest' } }], repos: [{ s3: { bucket: 'backups' } }] } })
    time.lap('backups are configured')
    await repoHost(true)
    await percona('backed', { backup: { enabled: false } })
    await repoHost(false)
    time.lap('backups are off')
    await percona('backed', { backup: { enabled: true } })
    await repoHost(true)
    time.lap('backups are on')
  })

  t.test('neither side overwrites the other', async t => {
    await delay(10_000)
    const before = await Promise.all([versions('plain'), versions('backed')])
    t.ok(before.every(found => found.length > 8))
    await delay(quiet)
    t.strictSame(await Promise.all([versions('plain'), versions('backed')]), before, `${quiet / 1000} s without a write`)
    // It runs the schedules itself; backups are impossible before the cluster is ready.
    t.match(await other.log(), "Can't start scheduled backup", 'the schedule of every minute came round')
  })

  t.test('its storage and its instances grow', async t => {
    const time = stopwatch(t)
    const claim = (await instances('plain')).find(({ metadata }) => metadata.name.endsWith('-pgdata'))?.metadata.name ?? ''
    await apply(volumeFor(claim))
    await awaitObject('pvc', claim, ({ status }) => status?.phase === 'Bound', 'bound', patience)
    await percona('plain', { storageSize: '20Gi' })
    const specs = async () => JSON.stringify((await instances('plain')).map(({ spec }) => spec))
    await eventually(async () => (await specs()).includes('"storage":"20Gi"'), 'the claim asks for it', patience)
    time.lap('the claim asks for more')
    await percona('plain', { replicas: 2 })
    await eventually(async () => (await instances('plain')).length >= 4, 'a second instance', patience)
    time.lap('a second instance')
  })

  t.test('stopped and started', async t => {
    await other.kill()
    await percona('plain', { replicas: 1 })
    await awaitObject<FoundCluster>('perconapgcluster', 'plain-postgres', ({ spec }) => spec.instances[0]?.replicas === 1, 'one instance')
    await other.start()
    const staying = async () => (await instances('plain')).filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    await eventually(async () => (await staying()).length <= 3, 'follows', patience)
    t.ok(other.isRunning())
  })

  t.test('kept, and used again', async t => {
    const before = await cluster('plain')
    await run(['delete', 'dittoserver', 'plain'])
    await awaitGone('configmap', 'plain-config')
    t.equal((await cluster('plain'))?.metadata.uid, before?.metadata.uid)
    await apply(serverOf('plain', { percona: { ...plain, replicas: 1, storageSize: '20Gi' } }))
    await awaitCondition('plain', 'DatabaseReady', 'False', 'PerconaNotReady')
    t.equal((await cluster('plain'))?.metadata.uid, before?.metadata.uid)
  })

  t.test('the server starts when the cluster is ready', async t => {
    const time = stopwatch(t)
    t.equal(await get('statefulset', 'plain'), undefined, 'held back until then')
    const selector = 'postgres-operator.crunchydata.com/cluster=plain-postgres,postgres-operator.crunchydata.com/instance-set=instance1'
    const pods = JSON.parse(await run(['get', 'pods', '-l', selector, '-o', 'json'])) as { items: FoundPod[] }
    const [pod] = pods.items
    // As kubelet would.
    const isTrue = (type: string) => ({ type, status: 'True' })
    const state = { running: { startedAt: new Date().toISOString() } }
    const containerStatuses = (pod?.spec.containers ?? []).map(({ name }) =>
      ({ name, ready: true, started: true, image: name, imageID: name, restartCount: 0, state }))
    const status = { phase: 'Running', conditions: ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map(isTrue), containerStatuses }
    await patch('pod', pod?.metadata.name ?? '', { status }, '--subresource=status')
    await awaitCondition('plain', 'DatabaseReady', 'True', 'PerconaReady', patience)
    time.lap('DatabaseReady')
    await awaitObject('statefulset', 'plain', () => true, 'made', patience)
    time.lap('the server is started')
  })

  t.test('deleted with the server', async t => {
    const time = stopwatch(t)
    await percona('backed', { deleteWithServer: true })
    await awaitObject('perconapgcluster', 'backed-postgres', ({ metadata }) => metadata.ownerReferences?.length === 1, 'an owner')
    await run(['delete', 'dittoserver', 'backed', '--wait=false'])
    await awaitGone('dittoserver', 'backed', patience)
    await awaitGone('perconapgcluster', 'backed-postgres', patience)
    time.lap('the cluster is gone')
    await eventually(async () => (await instances('backed')).length === 0, 'its volumes too', patience)
    await awaitGone('secret', 'backed-postgres-pguser-dittofs', patience)
    time.lap('its volumes and Secrets are gone')
    t.ok(await cluster('plain'), 'and no other')
  })

  t.test('no unexpected errors on either side', async t => {
    const log = await other.log()
    t.notMatch(log, 'panic')
    t.notMatch(log, 'Missing image')
    t.ok(other.isRunning())
    t.strictSame(operator.lines.filter(({ level }) => level === 'error').map(line => JSON.stringify(line)), [])
  })
}
