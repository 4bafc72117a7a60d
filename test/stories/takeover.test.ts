import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { binariesOrSkip, eventually, startControlPlane } from '../control-plane/control-plane.ts'
import { asServiceAccount, serviceAccountUser } from '../e2e/installation.ts'
import { kubectlUser, type Found, type FoundStatefulSet } from '../e2e/kubectl-user.ts'
import { startOperator } from '../e2e/operator.ts'
import { folderClass, startNode } from '../node/node.ts'
import { answeringImage } from './answering-program.ts'
import { fieldManager, goOperator } from './go-operator.ts'

// This operator takes over two servers of the Go operator, which were created on a real API server with its field manager and run on a
// node: the same claims with the same data, and one restart.

const crd = fileURLToPath(new URL('../../manifests/crd.yaml', import.meta.url))
/** Milliseconds. */
const within = 60_000
const names = ['plain', 'files']

interface Managed extends Found { metadata: Found['metadata'] & { managedFields: { manager: string, operation: string, subresource?: string }[] } }

const ditto = (name: string, spec: object) => ({
  apiVersion: 'dittofs.dittofs.com/v1alpha1',
  kind: 'DittoServer',
  metadata: { name },
  spec: {
    image: 'example.com/dittofs:1',
    identity: { jwt: { secretRef: { name: 'jwt', key: 'jwt-secret' } } },
    storage: { cacheSize: '1Gi', metadataSize: '1Gi' },
    ...spec,
  },
})

const binaries = await binariesOrSkip(t, { controllerManager: true, scheduler: true })
if (binaries) {
  const plane = await startControlPlane(t, binaries, { crds: [crd], controllerManager: true, scheduler: true, audit: true })
  const { run, get, apply, awaitObject, awaitCondition } = kubectlUser(plane)
  const node = await startNode(t, plane, { images: { 'example.com/dittofs:1': await answeringImage(plane.folder) } })
  await apply(folderClass('folders', { isDefault: true }))
  await run(['create', 'secret', 'generic', 'jwt', '--from-literal', `jwt-secret=${'x'.repeat(32)}`])
  await run(['create', 'secret', 'generic', 'dittofs-s3', '--from-literal', 'accessKeyId=id', '--from-literal', 'secretAccessKey=key'])
  // All containers of the node share the ports of this machine.
  await apply(ditto('plain', { controlPlane: { port: 18_181 } }))
  await apply(ditto('files', {
    controlPlane: { port: 18_182 },
    metrics: { enabled: true },
    smb: { enabled: true },
    s3: { bucket: 'b', credentialsSecretRef: { secretName: 'dittofs-s3' } },
    storage: { cacheSize: '1Gi', metadataSize: '1Gi', contentSize: '2Gi' },
  }))
  const before = await goOperator(plane)
  for (const name of names) await before.reconcile(name)
  before.close()
  const isReady = ({ status }: Found) => status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
  for (const name of names) await awaitObject('pod', `${name}-0`, isReady, 'ready', within)

  const claims = ['metadata-plain-0', 'cache-plain-0', 'metadata-files-0', 'content-files-0', 'cache-files-0']
  const uidsOf = async () => await Promise.all(claims.map(async claim => (await get('pvc', claim))?.metadata.uid))
  const fileIn = (claim: string) => join(node.claimFolder(claim), 'data')
  const uids = await uidsOf()
  for (const claim of claims) await writeFile(fileIn(claim), claim)
  const deletedPods = async () => (await plane.audit()).filter(({ verb, objectRef, user }) =>
    verb === 'delete' && objectRef?.resource === 'pods' && user.username === 'system:kube-controller-manager').map(({ objectRef }) => objectRef?.name)

  const operator = await startOperator(t, [...await asServiceAccount(plane), '--no-webhook'])
  await operator.ready(within)
  const started = Date.now()

  t.test('taken over', async t => {
    for (const name of names) {
      await awaitCondition(name, 'Progressing', 'False', 'ReconcileComplete', within)
      await awaitCondition(name, 'Ready', 'True', 'AllConditionsMet', within)
    }
    t.comment(`both servers after ${Date.now() - started} ms`)
    t.ok(Date.now() - started < within)
    t.strictSame(await uidsOf(), uids, 'the same claims')
    for (const claim of claims) t.equal(await readFile(fileIn(claim), 'utf8'), claim)
    t.strictSame((await deletedPods()).sort(), names.map(name => `${name}-0`).sort(), 'one restart each')
  })

  t.test('fields that only the other operator sets are removed', async t => {
    const objects = [
      ...names.flatMap(name => [['configmap', `${name}-config`], ['statefulset', name], ...['headless', 'file', 'api'].map(suffix => ['service', `${name}-${suffix}`])]),
      ['service', 'files-metrics'],
    ] as const
    for (const [kind = '', name = ''] of objects) {
      const stdout = await run(['get', kind, name, '-o', 'json', '--show-managed-fields'])
      const { metadata: { managedFields, labels } } = JSON.parse(stdout) as Managed
      t.strictSame(managedFields.filter(({ manager }) => manager === fieldManager), [], `${kind} ${name}`)
      t.equal(labels?.['app.kubernetes.io/managed-by'], 'dittofs-operator')
    }
    const { spec } = await get<FoundStatefulSet>('statefulset', 'files') as FoundStatefulSet
    const [container] = spec.template.spec.containers
    t.match(spec, { podManagementPolicy: 'Parallel' })
    t.strictSame(spec.volumeClaimTemplates.map(({ metadata }) => metadata.name), ['metadata', 'content', 'cache', 'controlplane'])
    t.notOk('command' in container)
    t.strictSame((container as unknown as { lifecycle: object }).lifecycle, { preStop: { sleep: { seconds: 5 } } })
    t.strictSame(container.env.map(({ name }) => name), ['DITTOFS_CONTROLPLANE_SECRET', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_ENDPOINT_URL', 'AWS_REGION'])
  })

  t.test('a second pass writes nothing', async t => {
    const writes = async () => (await plane.audit()).filter(({ user, objectRef }) => user.username === serviceAccountUser && objectRef?.resource !== 'leases')
    const passes = async () => Number(/^controller_runtime_reconcile_total\{controller="dittoserver",result="success"\} (\d+)/m.exec((await operator.get('/metrics')).text)?.[1])
    await delay(1000)
    const [written, done] = [(await writes()).length, await passes()]
    await run(['annotate', 'dittoserver', '--all', 'example.com/look=again'])
    await eventually(async () => await passes() >= done + names.length, 'a pass over each')
    await delay(1000)
    t.strictSame((await writes()).slice(written).map(({ verb, requestURI }) => `${verb} ${requestURI}`), [])
  })

  t.test('no unexpected errors', async t => {
    t.strictSame(node.faults, [])
    t.strictSame(operator.lines.filter(({ level }) => level === 'error' || level === 'warn'), [])
  })
}
