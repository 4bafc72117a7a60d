import { recordAuthorization, type Question } from '../../control-plane/authorization-log.ts'
import { binariesOrSkip, eventually, startControlPlane, type KubectlResult } from '../../control-plane/control-plane.ts'
import { allows, grantsOf, type InstalledObject } from '../grants.ts'
import {
  argumentsOf, documents, endpointSlice, freePortOf, manifestFolder, ownAddressOrSkip, serviceAccount, serviceAccountKubeconfig,
} from '../installation.ts'
import { kubectlUser, serverOf, type FoundClaim, type FoundStatefulSet } from '../kubectl-user.ts'
import { startOperator } from '../operator.ts'
import type { Test } from 'tap'
import { findHelm, helmTemplate, noHelm } from '../../manifests/helm.ts'

// Installed like a user does, with `kubectl apply -k`, and run with only the token of its own ServiceAccount. An authorizer in front of
// RBAC records every permission that the API server checks for that ServiceAccount. This proves two things: RBAC grants all required
// permissions, and each granted verb is required and granted only once. Without a verb, its request would be refused: a test in this file
// would fail for every rule that is removed from a role.

const user = `system:serviceaccount:${serviceAccount.namespace}:${serviceAccount.name}`
const grownSizes = { metadata: '10Gi', cache: '5Gi', controlplane: '1Gi' }
const ownObjects = ['-l', 'app.kubernetes.io/name=dittofs-operator']

/** `folder` of manifests is installed, watches `namespace`, and does everything that the operator does. */
export async function testInstallation (t: Test, folder: string, namespace: string): Promise<void> {
  const binaries = await binariesOrSkip(t, { controllerManager: true })
  if (!binaries) return
  const address = ownAddressOrSkip(t)
  if (address === undefined) return
  const helm = await findHelm()
  const authorization = await recordAuthorization(t)
  const plane = await startControlPlane(t, binaries, {
    controllerManager: true,
    // Clusters may enable it, and it requires more permissions.
    admissionPlugins: ['OwnerReferencesPermissionEnforcement'],
    apiServerFlags: { ...authorization.apiServerFlags, 'enable-aggregator-routing': 'true' },
  })
  const admin = kubectlUser(plane)
  const within = (namespace: string) => kubectlUser({ kubectl: async (args, ...rest) => await plane.kubectl(['-n', namespace, ...args], ...rest) })
  const inOwn = within(serviceAccount.namespace)
  await plane.kubectl(['create', '-f', manifestFolder('../test/e2e/percona-crd.yaml')])
  for (const name of ['standard', 'other']) {
    const annotations = name === 'standard' ? { 'storageclass.kubernetes.io/is-default-class': 'true' } : {}
    const metadata = { name, annotations }
    await admin.apply({ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata, provisioner: 'example.com/none', allowVolumeExpansion: true })
  }

  /** The objects as they were rendered, which are in the cluster then. */
  const install = async (folder: string): Promise<InstalledObject[]> => {
    await admin.run(['apply', '-k', manifestFolder(folder)])
    return documents(await admin.run(['kustomize', manifestFolder(folder)]))
  }
  const startInstalled = async (t: Test, objects: readonly InstalledObject[]) => {
    const port = await freePortOf(address)
    await admin.apply(endpointSlice(address, port))
    const args = argumentsOf(objects).filter(argument => !/^(serve|--(port|health-port)=.*)$/.test(argument))
    const kubeconfig = await serviceAccountKubeconfig(plane)
    const operator = await startOperator(t, ['--kubeconfig', kubeconfig, ...args, '--host', '0.0.0.0', '--port', String(port)])
    await operator.ready()
    return operator
  }

  /** Whatever the operator does for servers, at least once. */
  const work = async (t: Test, namespace: string) => {
    const { run, apply, patch, awaitObject, awaitGone, awaitCondition, awaitEvent } = within(namespace)
    const applied = async (name: string, spec: object) =>
      await plane.kubectl(['-n', namespace, 'apply', '-f', '-'], JSON.stringify(serverOf(name, spec)))
    const server = async (name: string, spec: object) => {
      await apply(serverOf(name, spec))
      return await awaitObject<FoundStatefulSet>('statefulset', name, () => true, 'made')
    }
    const literals = (entries: Record<string, string>) => Object.entries(entries).map(([key, value]) => `--from-literal=${key}=${value}`)
    const secret = async (name: string, entries: Record<string, string>) => await run(['create', 'secret', 'generic', name, ...literals(entries)])

    await t.test('reviews look up StorageClasses and Secrets', async t => {
      const storage = { metadataSize: '10Gi', storageClassName: 'none' }
      await eventually(async () => (await applied('denied', { storage })).stderr.includes("available: 'other', 'standard'"), 'the webhook knows the classes')
      await secret('s3', { accessKeyId: 'a', secretAccessKey: 'b' })
      const { code, stderr } = await applied('s3', { s3: { credentialsSecretRef: { secretName: 's3' } } })
      t.strictSame({ code, stderr }, { code: 0, stderr: '' })
      await awaitObject('statefulset', 's3', () => true, 'made')
      await awaitObject('secret', 's3-jwt-secret', () => true, 'made')
    })

    await t.test('Services are created and deleted', async () => {
      await server('measured', { metrics: { enabled: true }, smb: { enabled: true } })
      await awaitObject('service', 'measured-metrics', () => true, 'made')
      await patch('dittoserver', 'measured', { spec: { metrics: { enabled: false }, nfsPort: 3049 } })
      await awaitGone('service', 'measured-metrics')
      await awaitObject('service', 'measured-file', ({ spec }) => JSON.stringify(spec).includes('3049'), 'its port')
      await patch('configmap', 'measured-config', { immutable: true })
      await patch('dittoserver', 'measured', { spec: { controlPlane: { port: 8181 } } })
      await awaitObject('configmap', 'measured-config', ({ data }) => data?.['config.yaml']?.includes('8181'), 'recreated')
    })

    await t.test('an external PostgreSQL', async () => {
      await secret('postgres', { url: 'postgres://dittofs:secret@postgres.example.com/dittofs' })
      await server('external', { database: { type: 'postgres', postgresSecretRef: { name: 'postgres', key: 'url' } } })
      await patch('secret', 'postgres', { stringData: { url: 'postgres://dittofs:other@postgres.example.com/dittofs' } })
      const password = Buffer.from('other').toString('base64')
      await awaitObject('secret', 'external-postgres-env', ({ data }) => data?.password === password, 'its password')
      await patch('secret', 'postgres', { data: { url: null }, stringData: { host: 'db', database: 'd', user: 'u', password: 'p' } })
      await awaitGone('secret', 'external-postgres-env')
    })

    await t.test('a repeated event increments its count', async () => {
      for (const port of [12049, 12445, 12049]) {
        await patch('dittoserver', 's3', { spec: { smb: { enabled: true, port } } })
        await awaitCondition('s3', 'ConfigReady', port === 12049 ? 'False' : 'True', port === 12049 ? 'PortConflict' : 'ConfigValid')
      }
      await eventually(async () => (await run(['get', 'events.v1.events.k8s.io', '-o', 'json'])).includes('"count": 2'), 'a series')
    })

    await t.test('PostgreSQL by Percona, deleted with its server or kept', async () => {
      for (const [name, deleteWithServer] of [['doomed', true], ['spared', false]] as const) {
        await apply(serverOf(name, { percona: { enabled: true, deleteWithServer: true } }))
        await awaitObject('perconapgcluster', `${name}-postgres`, () => true, 'made')
        await awaitCondition(name, 'DatabaseReady', 'False', 'PerconaNotReady')
        await patch('perconapgcluster', `${name}-postgres`, { status: { state: 'ready' } }, '--subresource=status')
        await awaitObject('statefulset', name, () => true, 'made')
        await patch('dittoserver', name, { spec: { percona: { deleteWithServer } } })
        await awaitObject('perconapgcluster', `${name}-postgres`, ({ metadata }) => (metadata.ownerReferences ?? []).length === (deleteWithServer ? 1 : 0), 'its owner')
        await run(['delete', 'dittoserver', name, '--timeout=60s'])
      }
      // The Percona operator, which deletes the volumes first, is not here.
      await awaitObject('perconapgcluster', 'doomed-postgres', ({ metadata }) => metadata.deletionTimestamp, 'deleted')
      await patch('perconapgcluster', 'doomed-postgres', { metadata: { finalizers: null } })
      await awaitGone('perconapgcluster', 'doomed-postgres')
      await awaitObject('perconapgcluster', 'spared-postgres', ({ metadata }) => metadata.deletionTimestamp === undefined, 'left behind')
      await awaitEvent('doomed', 'Warning', 'PerconaDeleted')
    })

    await t.test('volumes grow', async () => {
      for (const [claim, storage] of Object.entries(grownSizes)) {
        await apply({
          apiVersion: 'v1',
          kind: 'PersistentVolume',
          metadata: { name: `${namespace}-${claim}` },
          spec: {
            capacity: { storage },
            accessModes: ['ReadWriteOnce'],
            storageClassName: 'other',
            persistentVolumeReclaimPolicy: 'Retain',
            csi: { driver: 'example.com', volumeHandle: claim },
            claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name: `${claim}-grown-0` },
          },
        })
      }
      const storage = { metadataSize: '10Gi', storageClassName: 'other' }
      const before = await server('grown', { storage })
      for (const claim of Object.keys(grownSizes)) await awaitObject('pvc', `${claim}-grown-0`, ({ status }) => status?.phase === 'Bound', 'bound')
      await patch('dittoserver', 'grown', { spec: { storage: { cacheSize: '10Gi' } } })
      await awaitObject<FoundClaim>('pvc', 'cache-grown-0', ({ spec }) => spec.resources.requests.storage === '10Gi', 'its size')
      await awaitObject('statefulset', 'grown', ({ metadata }) => metadata.uid !== before.metadata.uid, 'replaced')
    })

    await t.test('deleted', async () => {
      for (const name of ['s3', 'grown', 'measured', 'external']) await run(['delete', 'dittoserver', name, '--timeout=60s'])
    })
  }

  const provenGrants = (objects: readonly InstalledObject[], questions: readonly Question[]) => {
    const grants = grantsOf(objects, serviceAccount)
    const answered = questions.map(question => ({ question, by: grants.filter(grant => allows(grant, question)) }))
    const said = (verb: string, resource: string, place: string) => `${verb} ${resource}${place ? ` in ${place}` : ''}`
    return {
      count: grants.length,
      refused: answered.filter(({ by }) => by.length === 0)
        .map(({ question: { verb, resource, namespace } }) => said(verb, resource, namespace)),
      needless: grants.filter(grant => !answered.some(({ by }) => by.length === 1 && by[0] === grant))
        .map(({ verb, resource, namespace, role }) => `${role}: ${said(verb, resource, namespace)}`),
    }
  }

  if (namespace !== 'default') await admin.run(['create', 'namespace', namespace])
  authorization.takeQuestions()
  const objects = await install(folder)
  const operator = await startInstalled(t, objects)

  await t.test('applied again: nothing changes, and the CA is kept', async t => {
    const budget = async () => (await inOwn.get('pdb', 'dittofs-operator'))?.metadata.generation
    const generation = await budget()
    const lines = (await admin.run(['apply', '-k', manifestFolder(folder)])).trim().split('\n')
    t.equal(lines.length, objects.length)
    // kubectl replaces the selector of a budget as a whole, always, and says so.
    t.strictSame(lines.filter(line => !line.endsWith(' unchanged') && !line.startsWith('poddisruptionbudget')), [])
    t.equal(await budget(), generation)
    for (const { kind, webhooks = [] } of objects.filter(object => object.webhooks)) {
      const live = JSON.parse(await admin.run(['get', kind, serviceAccount.name, '-o', 'json'])) as InstalledObject
      t.ok(live.webhooks?.every(({ clientConfig: { caBundle } }) => caBundle), `${kind}: caBundle`)
      const given = live.webhooks?.map(({ clientConfig: { caBundle, ...clientConfig }, ...rest }) => ({ ...rest, clientConfig }))
      t.strictSame(given, webhooks, `${kind}: no default is left to the API server`)
    }
  })

  await t.test('the pods are allowed by Pod Security level restricted', async () => {
    await eventually(async () => (await inOwn.run(['get', 'pods', '-o', 'name'])).trim().split('\n').length === 2, 'two pods')
  })

  const dryRun = ['apply', '--server-side', '--force-conflicts', '--dry-run=server']
  const accepted = ({ code, stdout, stderr }: KubectlResult) =>
    code === 0 ? stdout.trim().split('\n').every(line => line.endsWith('serverside-applied (server dry run)')) : stderr
  await t.test('a server-side dry run is accepted', async t => {
    const folders = namespace === 'default' ? [folder, 'overlays/ha', 'overlays/files'] : [folder]
    for (const one of folders) t.equal(accepted(await plane.kubectl([...dryRun, '-k', manifestFolder(one)])), true, one)
  })
  await t.test('and the chart', { skip: helm ? false : noHelm }, async t => {
    const values = namespace === 'default' ? {} : { watchNamespace: namespace, ...(folder.endsWith('least-privilege') ? { secretAccess: 'get' } : {}) }
    t.equal(accepted(await plane.kubectl([...dryRun, '-f', '-'], await helmTemplate(helm ?? '', values))), true)
  })

  await t.test('a damaged certificate is recreated', async () => {
    const damaged = Buffer.from('damaged').toString('base64')
    await inOwn.patch('secret', 'dittofs-operator-tls', { data: { 'tls.crt': damaged } })
    await inOwn.awaitObject('secret', 'dittofs-operator-tls', ({ data }) => data?.['tls.crt'] !== damaged, 'a certificate')
  })

  await work(t, namespace)
  if (namespace !== 'default') {
    await t.test('servers of another namespace are ignored', async t => {
      await admin.apply(serverOf('elsewhere', { storage: { metadataSize: '10Gi', storageClassName: 'none' } }))
      await within(namespace).apply(serverOf('here'))
      await within(namespace).awaitObject('statefulset', 'here', () => true, 'made')
      t.equal(await admin.get('statefulset', 'elsewhere'), undefined)
      for (const one of [admin, within(namespace)]) await one.run(['delete', 'dittoserver', '--all', '--timeout=60s'])
    })
  }

  await t.test('every RBAC rule is needed, and no other', async t => {
    // For a client that sets blockOwnerDeletion, the API server checks a permission on all kinds, which is not required.
    const questions = authorization.takeQuestions().filter(question => question.user === user && question.resource !== '*/finalizers')
    const { refused, needless, count } = provenGrants(objects, questions)
    t.strictSame(refused, [])
    t.strictSame(needless, [], `${count} grants`)
    t.strictSame(operator.said.filter(line => /forbidden|no permission/i.test(line)), [])
  })

  operator.child.kill('SIGTERM')
  t.strictSame(await operator.exited, [0, null], 'it ends when asked to')
  // Everything but the CustomResourceDefinition, and with it the servers.
  await admin.run(['delete', '-k', manifestFolder(folder), ...ownObjects, '--wait=true', '--timeout=60s'])
  t.equal(await admin.get('clusterrole', 'dittofs-operator'), undefined)
  t.ok(await admin.get('crd', 'dittoservers.dittofs.dittofs.com'), 'the definition stays, and with it the servers')
}
