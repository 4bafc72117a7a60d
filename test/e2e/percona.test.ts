import { delimiter } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { binariesOrSkip, startControlPlane } from '../control-plane/control-plane.ts'
import { findCounterparts } from '../counterparts/counterparts.ts'
import { asServiceAccount } from './installation.ts'
import { kubectlUser, serverOf, type Found, type FoundStatefulSet } from './kubectl-user.ts'
import { startOperator } from './operator.ts'

// The PostgreSQL cluster of a DittoServer, up to the Percona operator: here we do its part, by patching the status.

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const counterparts = await findCounterparts(['percona-crds.yaml'])
/**
 * The real definitions are too large to be kept here. They come with the Percona operator, or PERCONA_CRDS lists files of several
 * releases, oldest first.
 */
const real = (process.env.PERCONA_CRDS ?? '').split(delimiter).filter(Boolean)
const [crd, ...newer] = real[0] === undefined
  ? ['unavailable' in counterparts ? file('percona-crd.yaml') : counterparts['percona-crds.yaml']]
  : [real[0], ...real.slice(1)]

interface Cluster extends Found {
  spec: {
    crVersion?: string
    postgresVersion: number
    image?: string
    proxy: { pgBouncer: { image: string, replicas: number } }
    instances: [{ name: string, replicas: number, dataVolumeClaimSpec: { resources: { requests: { storage: string } } } }]
    backups: {
      enabled: boolean
      pgbackrest?: { image: string, global?: object, repos?: { name: string, schedules: { full: string } }[], configuration?: object[] }
    }
    users: object[]
  }
}

const binaries = await binariesOrSkip(t, { controllerManager: true })
if (binaries) {
  const plane = await startControlPlane(t, binaries, { crds: [file('../../manifests/crd.yaml')], controllerManager: true })
  const { run, get, patch, apply, awaitObject, awaitGone, awaitCondition, awaitEvent } = kubectlUser(plane)
  const operator = await startOperator(t, [...await asServiceAccount(plane), '--no-webhook'])
  await operator.ready(60_000)

  const awaitCluster = async (name: string, test: (cluster: Cluster) => unknown, what: string, milliseconds?: number) =>
    await awaitObject<Cluster>('perconapgcluster', `${name}-postgres`, test, what, milliseconds)
  const getCluster = async (name: string) => await get<Cluster>('perconapgcluster', `${name}-postgres`)
  const clusterIs = async (name: string, state: string) =>
    await patch('perconapgcluster', `${name}-postgres`, { status: { state } }, '--subresource=status')
  const percona = async (name: string, change: object) => await patch('dittoserver', name, { spec: { percona: change } })
  const made = async (name: string, given: object = {}) => {
    await apply(serverOf(name, { percona: { enabled: true, ...given } }))
    return await awaitCluster(name, () => true, 'made')
  }
  /** As an upgrade of the Percona operator does. */
  const perconaIs = async (version: string) => await run(['label', '--overwrite', 'crd', 'perconapgclusters.pgv2.percona.com', `pgv2.percona.com/version${version}`])
  const awaitMessage = async (name: string, pattern: RegExp, milliseconds?: number) => await awaitObject('dittoserver', name,
    ({ status }) => status?.conditions?.some(({ type, message }) => type === 'DatabaseReady' && pattern.test(message)), String(pattern), milliseconds)
  const running = async (name: string, given: object = {}) => {
    await made(name, given)
    await clusterIs(name, 'ready')
    await awaitCondition(name, 'DatabaseReady', 'True', 'PerconaReady')
    return await awaitObject<FoundStatefulSet>('statefulset', name, () => true, 'made')
  }

  await t.test('Percona is installed after the operator', async t => {
    await apply(serverOf('late', { percona: { enabled: true } }))
    const { message } = await awaitCondition('late', 'DatabaseReady', 'False', 'PerconaNotInstalled')
    t.match(message, 'perconapgclusters.pgv2.percona.com')
    await awaitCondition('late', 'ConfigReady', 'True', 'ConfigValid')
    await awaitEvent('late', 'Warning', 'PerconaNotInstalled')
    t.equal(await get('statefulset', 'late'), undefined)
    t.ok(await get('service', 'late-file'), 'all else is there')

    await run(['create', '-f', crd])
    await perconaIs('=v2.9.0')
    const cluster = await awaitCluster('late', () => true, 'made', 45_000)
    t.match(cluster, {
      metadata: { labels: { instance: 'late', 'app.kubernetes.io/managed-by': 'dittofs-operator' } },
      spec: {
        crVersion: real.length > 0 ? /./ : '2.9.0',
        postgresVersion: 16,
        image: /percona-distribution-postgresql:16/,
        instances: [{ name: 'instance1', replicas: 1 }],
        users: [{ name: 'dittofs', databases: ['dittofs'] }],
        proxy: { pgBouncer: { replicas: 0, image: /percona-pgbouncer:/ } },
        backups: { enabled: false, pgbackrest: { image: /percona-pgbackrest:/ } },
      },
    })
    t.equal(cluster.metadata.ownerReferences, undefined)
    t.equal(operator.child.exitCode, null)
    await awaitCondition('late', 'DatabaseReady', 'False', 'PerconaNotReady')
    await clusterIs('late', 'initializing')
    await awaitObject('dittoserver', 'late', found => JSON.stringify(found.status).includes('\'initializing\''), 'the state')
    t.equal(await get('statefulset', 'late'), undefined, 'held back')

    await clusterIs('late', 'ready')
    const statefulSet = await awaitObject<FoundStatefulSet>('statefulset', 'late', () => true, 'made')
    await awaitCondition('late', 'DatabaseReady', 'True', 'PerconaReady')
    const { spec: { template, volumeClaimTemplates } } = statefulSet
    const variables = template.spec.containers[0].env.flatMap(({ name, valueFrom }) => {
      const { name: secret, key } = valueFrom?.secretKeyRef ?? {}
      return secret === 'late-postgres-pguser-dittofs' ? [`${name}=${key}`] : []
    })
    t.strictSame(variables, ['HOST=host', 'PORT=port', 'DATABASE=dbname', 'USER=user', 'PASSWORD=password'].map(part => `DITTOFS_DATABASE_POSTGRES_${part}`))
    t.strictSame(template.spec.initContainers?.map(({ name }) => name), ['wait-for-postgres'])
    t.strictSame(volumeClaimTemplates.map(({ metadata: { name } }) => name), ['metadata', 'cache'], 'no volume for SQLite')
    t.match(await get('dittoserver', 'late'), { status: { perconaClusterName: 'late-postgres' } })
  })

  t.test('the password of the database user changes', async t => {
    const { spec: { template } } = await running('rotated')
    const hash = 'dittofs.io/config-hash'
    await run(['create', 'secret', 'generic', 'rotated-postgres-pguser-dittofs', '--from-literal', 'uri=postgresql://dittofs:1@h/dittofs'])
    const changed = await awaitObject<FoundStatefulSet>('statefulset', 'rotated',
      found => found.spec.template.metadata.annotations[hash] !== template.metadata.annotations[hash], 'another hash', 5000)
    await patch('secret', 'rotated-postgres-pguser-dittofs', { stringData: { uri: 'postgresql://dittofs:2@h/dittofs' } })
    await awaitObject<FoundStatefulSet>('statefulset', 'rotated',
      found => found.spec.template.metadata.annotations[hash] !== changed.spec.template.metadata.annotations[hash], 'another hash', 5000)
    t.equal((await get('statefulset', 'rotated'))?.metadata.generation, changed.metadata.generation + 1)
  })

  t.test('a database that is not ready does not delay an update', async t => {
    await running('busy')
    await clusterIs('busy', 'initializing')
    await awaitCondition('busy', 'DatabaseReady', 'False', 'PerconaNotReady')
    await patch('dittoserver', 'busy', { spec: { image: 'example.com/dittofs:2', nfsPort: 2049 } })
    await awaitObject<FoundStatefulSet>('statefulset', 'busy', found => found.spec.template.spec.containers[0].image === 'example.com/dittofs:2', 'the image')
    await awaitObject('service', 'busy-file', found => JSON.stringify(found.spec).includes('"port":2049'), 'the port')
    t.match(await awaitCondition('busy', 'Ready', 'False', 'ConditionsNotMet'), { message: 'DatabaseNotReady' })
  })

  t.test('the cluster follows the DittoServer, except for fields of others', async t => {
    await made('followed', { replicas: 1, storageSize: '10Gi' })
    await percona('followed', { replicas: 3, storageSize: '20Gi' })
    await awaitCluster('followed', ({ spec: { instances: [{ replicas, dataVolumeClaimSpec }] } }) =>
      replicas === 3 && dataVolumeClaimSpec.resources.requests.storage === '20Gi', 'both')
    // Like a user who upgrades it: the operator does not change the versions afterwards.
    await patch('perconapgcluster', 'followed-postgres', { spec: { crVersion: '2.8.2', postgresVersion: 17 } })

    const theirs = {
      apiVersion: 'pgv2.percona.com/v2',
      kind: 'PerconaPGCluster',
      metadata: { name: 'followed-postgres' },
      spec: { instances: [{ name: 'instance1', replicas: 5 }] },
    }
    await run(['apply', '--server-side', '--field-manager=other', '--force-conflicts', '--validate=false', '-f', '-'], JSON.stringify(theirs))
    const left = /Managed by another field manager and not changed: .*instance1.*replicas/
    await awaitObject('dittoserver', 'followed', ({ status }) => status?.conditions?.some(({ type, message }) => type === 'DatabaseReady' && left.test(message)), 'it is named')
    await percona('followed', { replicas: 2, storageSize: '30Gi' })
    const { spec } = await awaitCluster('followed', ({ spec: { instances: [{ dataVolumeClaimSpec }] } }) => dataVolumeClaimSpec.resources.requests.storage === '30Gi', 'its size')
    t.match(spec, { crVersion: '2.8.2', postgresVersion: 17, instances: [{ replicas: 5 }] })
    await clusterIs('followed', 'ready')
    t.match(await awaitCondition('followed', 'DatabaseReady', 'True', 'PerconaReady'), { message: left })
    // A pass that has nothing to write says so as well.
    await patch('dittoserver', 'followed', { metadata: { annotations: { 'example.com/look': 'again' } }, spec: { nfsPort: 2049 } })
    await awaitObject('service', 'followed-file', found => JSON.stringify(found.spec).includes('"port":2049'), 'the port')
    t.match(await awaitCondition('followed', 'DatabaseReady', 'True', 'PerconaReady'), { message: left })
  })

  t.test('a cluster that another client created', async t => {
    const { spec } = await made('model')
    const foreign = { apiVersion: 'pgv2.percona.com/v2', kind: 'PerconaPGCluster', metadata: { name: 'taken-postgres' }, spec }
    await run(['create', '-f', '-'], JSON.stringify(foreign))
    const before = await getCluster('taken')
    await apply(serverOf('taken', { percona: { enabled: true, replicas: 3 } }))
    t.match(await awaitCondition('taken', 'DatabaseReady', 'False', 'PerconaNotRecognised'), { message: 'PerconaPGCluster taken-postgres exists' })
    await awaitCondition('taken', 'ConfigReady', 'True', 'ConfigValid')
    t.strictSame(await getCluster('taken'), before)
    await run(['delete', 'dittoserver', 'taken'])
    t.strictSame(await getCluster('taken'), before)
  })

  t.test('a cluster whose labels were removed', async t => {
    await running('unlabelled')
    const before = await getCluster('unlabelled')
    await run(['label', 'perconapgcluster', 'unlabelled-postgres', 'instance-', 'app-'])
    const { message } = await awaitCondition('unlabelled', 'DatabaseReady', 'False', 'PerconaNotRecognised')
    t.notMatch(message, /remove|delete/)
    await patch('dittoserver', 'unlabelled', { spec: { image: 'example.com/dittofs:2', nfsPort: 2049 } })
    await awaitObject<FoundStatefulSet>('statefulset', 'unlabelled', found => found.spec.template.spec.containers[0].image === 'example.com/dittofs:2', 'the image')
    await awaitObject('service', 'unlabelled-file', found => JSON.stringify(found.spec).includes('"port":2049'), 'the port')
    await awaitCondition('unlabelled', 'ConfigReady', 'True', 'ConfigValid')
    const found = await getCluster('unlabelled')
    t.strictSame([found?.metadata.uid, found?.spec], [before?.metadata.uid, before?.spec], 'nothing was written to it')
    const command = /kubectl (label .*?)\. If it belongs/.exec(message)?.[1] ?? ''
    await run(command.split(' '))
    await awaitCondition('unlabelled', 'DatabaseReady', 'True', 'PerconaReady')
  })

  t.test('images and versions', async t => {
    await t.test('from a mirror, and fields that another client has set', async t => {
      const images = { postgres: 'mirror.example.com/postgres:17', pgBackRest: 'mirror.example.com/pgbackrest:2' }
      const { spec } = await made('mirrored', { images, postgresVersion: 17, pgBouncer: { replicas: 2 } })
      t.match(spec, {
        postgresVersion: 17,
        image: images.postgres,
        proxy: { pgBouncer: { replicas: 2, image: /^docker\.io\/percona/ } },
        backups: { pgbackrest: { image: images.pgBackRest } },
      })
      const theirs = { apiVersion: 'pgv2.percona.com/v2', kind: 'PerconaPGCluster', metadata: { name: 'mirrored-postgres' }, spec: { image: 'other' } }
      await run(['apply', '--server-side', '--field-manager=other', '--force-conflicts', '--validate=false', '-f', '-'], JSON.stringify(theirs))
      await awaitMessage('mirrored', /not changed: \.?spec\.image/)
      await percona('mirrored', { images: { postgres: 'mirror.example.com/postgres:17.1', pgBackRest: 'mirror.example.com/pgbackrest:3' } })
      await awaitCluster('mirrored', ({ spec }) => spec.backups.pgbackrest?.image === 'mirror.example.com/pgbackrest:3', 'the other image')
      t.equal((await getCluster('mirrored'))?.spec.image, 'other')
    })

    await t.test('the Percona operator is upgraded', async t => {
      await perconaIs('=v2.8.2')
      await apply(serverOf('eager', { percona: { enabled: true, postgresVersion: 18 } }))
      t.match(await awaitCondition('eager', 'DatabaseReady', 'False', 'PostgresVersionNotOffered'), { message: 'Percona operator 2.8.2 offers PostgreSQL 16 or 17' })
      const { spec } = await made('older')
      t.match(spec, { crVersion: '2.8.2', image: /:16\.11-2$/, proxy: { pgBouncer: { image: /:1\.25\.0-1$/ } } })
      await clusterIs('older', 'ready')

      await perconaIs('=v2.9.0')
      // It is watched: no pass has to come by.
      t.match((await awaitCluster('eager', () => true, 'made', 5_000)).spec, { crVersion: '2.9.0', postgresVersion: 18, image: /:18\.3-1$/ })
      await awaitMessage('older', /2\.9\.0 is installed: raise crVersion/, 5_000)
      t.match((await getCluster('older'))?.spec, { crVersion: '2.8.2', image: /:16\.11-2$/ }, 'no database restarts because of it')
      await patch('perconapgcluster', 'older-postgres', { spec: { crVersion: '2.9.0' } })
      await awaitCluster('older', ({ spec }) => spec.image?.endsWith(':16.13-1'), 'the images of that release')
      await awaitMessage('older', /^PostgreSQL is ready\.$/)
    })

    await t.test('a version that differs from the cluster', async t => {
      await percona('older', { postgresVersion: 17 })
      await awaitMessage('older', /percona\.postgresVersion is 17, but the PostgreSQL cluster runs 16; upgrade it with a PerconaPGUpgrade/)
      t.match((await getCluster('older'))?.spec, { postgresVersion: 16, image: /:16\.13-1$/ })
      // As that upgrade does.
      await patch('perconapgcluster', 'older-postgres', { spec: { postgresVersion: 17, image: 'docker.io/percona/percona-distribution-postgresql:17.9-1' } })
      await awaitMessage('older', /^PostgreSQL is ready\.$/)
    })

    await t.test('an unknown Percona operator, or one without a version', async t => {
      await perconaIs('=v2.10.1')
      t.match((await made('newer')).spec, { crVersion: '2.10.1', image: /:16\.13-1$/ })
      await awaitMessage('newer', /No images are known for Percona operator 2\.10\.1: the images for 2\.9 are used\./)
      await perconaIs('-')
      const { spec } = await made('silent')
      t.equal(spec.crVersion, undefined, 'the Percona operator fills it in')
      await awaitMessage('silent', /The version of the Percona operator is not known/)
      await patch('perconapgcluster', 'silent-postgres', { spec: { crVersion: '2.9.0' } })
      await awaitCluster('silent', ({ spec }) => spec.image?.endsWith(':16.13-1'), 'the images of that release')
      await perconaIs('=v2.9.0')
    })
  })

  for (const cascade of ['background', 'foreground', 'orphan']) {
    t.test(`left behind by default: ${cascade}`, async t => {
      await running(`keep-${cascade}`)
      const before = await getCluster(`keep-${cascade}`)
      t.equal(before?.metadata.ownerReferences, undefined)
      await run(['delete', 'dittoserver', `keep-${cascade}`, `--cascade=${cascade}`])
      await awaitGone('dittoserver', `keep-${cascade}`)
      if (cascade !== 'orphan') await awaitGone('configmap', `keep-${cascade}-config`)
      t.strictSame(await getCluster(`keep-${cascade}`), before)
    })
  }

  t.test('deleted with the server, if deleteWithServer is true', async t => {
    const { metadata: { ownerReferences } } = await made('doomed', { deleteWithServer: true })
    t.strictSame(ownerReferences?.map(({ uid }) => uid), [(await get('dittoserver', 'doomed'))?.metadata.uid])
    await run(['delete', 'dittoserver', 'doomed'])
    await awaitEvent('doomed', 'Warning', 'PerconaDeleted')
    const { metadata: { finalizers } } = await awaitCluster('doomed', ({ metadata }) => metadata.deletionTimestamp, 'being deleted')
    t.strictSame(finalizers, ['percona.com/delete-pvc', 'percona.com/delete-ssl'], 'the Percona operator is to take the data along')
    await patch('perconapgcluster', 'doomed-postgres', { metadata: { finalizers: null } })
    await awaitGone('perconapgcluster', 'doomed-postgres')
  })

  t.test('deleteWithServer can be reset before the deletion', async t => {
    await made('spared', { deleteWithServer: true })
    await percona('spared', { deleteWithServer: false })
    await awaitCluster('spared', ({ metadata }) => metadata.ownerReferences === undefined, 'no owner')
    await percona('spared', { deleteWithServer: true })
    await awaitCluster('spared', ({ metadata }) => metadata.ownerReferences?.length === 1, 'an owner')
    await percona('spared', { deleteWithServer: false })
    await awaitCluster('spared', ({ metadata }) => metadata.ownerReferences === undefined, 'no owner again')
    await run(['delete', 'dittoserver', 'spared', '--cascade=foreground'])
    await awaitGone('configmap', 'spared-config')
    const cluster = await getCluster('spared')
    t.ok(cluster && cluster.metadata.deletionTimestamp === undefined)
    t.equal(cluster?.metadata.ownerReferences, undefined)
  })

  t.test('Percona is no longer used', async t => {
    const before = await running('leaving', { deleteWithServer: true })
    await percona('leaving', { enabled: false })
    await awaitCondition('leaving', 'DatabaseReady', 'False', 'DatabaseChangeRefused')
    t.equal((await get('statefulset', 'leaving'))?.metadata.generation, before.metadata.generation, 'the server stays as it was')
    await run(['annotate', 'dittoserver', 'leaving', 'dittofs.dittofs.com/acknowledge=PG-DISABLE'])
    const cluster = await awaitCluster('leaving', ({ metadata }) => metadata.ownerReferences === undefined, 'no owner')
    t.equal(cluster.metadata.deletionTimestamp, undefined)
    await awaitObject<FoundStatefulSet>('statefulset', 'leaving', ({ spec }) => spec.template.spec.initContainers === undefined, 'another database')
    await run(['delete', 'dittoserver', 'leaving', '--cascade=foreground'])
    await awaitGone('configmap', 'leaving-config')
    t.equal((await getCluster('leaving'))?.metadata.uid, cluster.metadata.uid)
  })

  t.test('backups', async t => {
    const on = { enabled: true, bucket: 'backups', endpoint: 'https://s3.example.com', credentialsSecretRef: { name: 'pgbackrest' } }
    const onAndOff = async (name: string) => {
      await percona(name, { backup: { ...on, retentionDays: null, fullSchedule: null } })
      const { spec: { backups } } = await awaitCluster(name, found => found.spec.backups.enabled, 'backups')
      t.match(backups, {
        pgbackrest: {
          global: { 'repo1-retention-full': '7', 'repo1-retention-full-type': 'time' },
          repos: [{ name: 'repo1', s3: { bucket: 'backups', endpoint: 'https://s3.example.com', region: 'eu-west-1' }, schedules: { full: '0 2 * * *' } }],
          configuration: [{ secret: { name: 'pgbackrest' } }],
        },
      })
      await percona(name, { backup: { retentionDays: 30, fullSchedule: '0 3 * * *' } })
      await awaitCluster(name, found => JSON.stringify(found.spec.backups).includes('"repo1-retention-full":"30"') &&
        found.spec.backups.pgbackrest?.repos?.[0]?.schedules.full === '0 3 * * *', 'other backups')
      await percona(name, { backup: { enabled: false } })
      await awaitCluster(name, found => !found.spec.backups.enabled, 'no backups')
      await awaitCondition(name, 'ConfigReady', 'True', 'ConfigValid')
    }
    await made('backed')
    await onAndOff('backed')
    for (const [index, upgrade] of newer.entries()) {
      await run(['replace', '-f', upgrade])
      await onAndOff('backed')
      await made(`backed-${index}`, { backup: on })
    }
  })

  t.test('no unexpected errors', async t => {
    // A CRD that has just been replaced is not served for a moment, with a 429.
    const expected = /does not belong to this DittoServer|storage is \(re\)initializing/
    const unexpected = operator.lines.filter(line => (line.level === 'error' || line.level === 'warn') && !expected.test(JSON.stringify(line)))
    t.strictSame(unexpected, [])
  })
}
