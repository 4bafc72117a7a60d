import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { binariesOrSkip, eventually, startControlPlane } from '../control-plane/control-plane.ts'
import { asServiceAccount, serviceAccountUser } from './installation.ts'
import { kubectlUser, serverOf, type Found } from './kubectl-user.ts'
import { startOperator } from './operator.ts'

// Many servers of all kinds: in the settled state, nothing is written, and nothing is reported.

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const count = 200

/** One of eight sorts, among them the spellings that the API server turns into others. */
const sorts: readonly object[] = [
  {},
  { storage: { metadataSize: '1024Mi', contentSize: '2048Mi', cacheSize: '5120Mi', controlPlaneSize: '1024Mi' } },
  { metrics: { enabled: true }, smb: { enabled: true, port: 445 }, nfsPort: 2049 },
  { service: { type: 'NodePort', annotations: { 'example.com/pool': 'a' } } },
  { resources: { requests: { cpu: '1000m', memory: '1024Mi' }, limits: { cpu: '2.0', memory: '2048Mi' } } },
  { s3: { credentialsSecretRef: { secretName: 'not-there-yet' }, region: 'eu-west-1' } },
  { percona: { enabled: true, storageSize: '10240Mi', backup: { enabled: true, bucket: 'b', endpoint: 'https://s3.example.com', credentialsSecretRef: { name: 'c' } } } },
  { replicas: 0, podSecurityContext: { fsGroup: 2000 }, database: { type: 'postgres', postgresSecretRef: { name: 'database', key: 'url' } } },
]

const binaries = await binariesOrSkip(t, { controllerManager: true })
if (binaries) {
  const crds = [file('../../manifests/crd.yaml'), file('percona-crd.yaml')]
  const plane = await startControlPlane(t, binaries, { crds, controllerManager: true, audit: true })
  const { run } = kubectlUser(plane)
  const rights = await asServiceAccount(plane)
  const start = async () => {
    const operator = await startOperator(t, [...rights, '--no-webhook'])
    await operator.ready()
    return operator
  }
  const list = async (kind: string) => (JSON.parse(await run(['get', kind, '-o', 'json'])) as { items: Found[] }).items
  const writes = async () => (await plane.audit())
    .filter(({ user, objectRef }) => user.username === serviceAccountUser && objectRef?.resource !== 'leases')
  const quiet = async () => {
    let before = -1
    await eventually(async () => {
      const now = (await writes()).length
      const same = now === before
      before = now
      if (!same) await delay(3_000)
      return same
    }, 'nothing more is written', 120_000)
    return await writes()
  }
  const passes = async ({ get }: Pick<Awaited<ReturnType<typeof start>>, 'get'>) =>
    Number(/^controller_runtime_reconcile_total\{controller="dittoserver",result="success"\} (\d+)/m.exec((await get('/metrics')).text)?.[1])
  const complaints = (lines: readonly { level?: string }[]) => lines.filter(({ level }) => level === 'error' || level === 'warn' || level === 'fatal')

  await t.test(`${count} servers`, async t => {
    await run(['create', 'secret', 'generic', 'database', '--from-literal', 'url=postgres://me:hush@db.example.com/files'])
    const objects = Array.from({ length: count }, (_, index) => serverOf(`s${index}`, sorts[index % sorts.length]))
    const operator = await start()
    await run(['create', '-f', '-'], objects.map(object => JSON.stringify(object)).join('\n---\n'))
    const expected = count - count / sorts.length // those with Percona wait for their database
    await eventually(async () => (await list('statefulset')).length === expected, 'every StatefulSet', 120_000)
    const first = await quiet()
    t.strictSame(complaints(operator.lines), [], 'a clean run')
    t.ok(first.length > count, 'the audit log knows the writes')
    t.comment(`${first.length} writes of the operator for ${count} servers`)
    for (const { metadata: { name }, status } of await list('dittoserver')) {
      if (!status?.conditions?.some(({ type }) => type === 'Ready')) t.fail(`${name} has no status`)
    }

    await t.test('a second pass writes nothing', async t => {
      const before = await passes(operator)
      await run(['annotate', 'dittoserver', '--all', 'example.com/look=again'])
      await eventually(async () => await passes(operator) >= before + count, 'a pass over each', 60_000)
      t.strictSame((await quiet()).slice(first.length).map(({ verb, requestURI }) => `${verb} ${requestURI}`), [])
    })

    await t.test('a new process without memory writes nothing either', async t => {
      operator.child.kill('SIGTERM')
      t.strictSame(await operator.exited, [0, null])
      const before = await quiet()
      const another = await start()
      await eventually(async () => another.lines.some(({ msg }) => msg === 'reconciling'), 'it begins', 30_000)
      await eventually(async () => await passes(another) >= count, 'a pass over each', 60_000)
      t.strictSame((await quiet()).slice(before.length).map(({ verb, requestURI }) => `${verb} ${requestURI}`), [])
      t.strictSame(complaints(another.lines), [])
    })
  })
}
