import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { ApiClient } from '../../src/cluster/api-client.ts'
import { loadConnection } from '../../src/cluster/kubeconfig.ts'
import { examine, type Examined } from '../../src/doctor/steps.ts'
import { run } from '../command-line/program.ts'
import { binariesOrSkip, startControlPlane } from '../control-plane/control-plane.ts'
import { grantRights, serviceAccount } from './installation.ts'

// How a command finds its cluster, with a real API server at the other end.

const crd = fileURLToPath(new URL('../../manifests/crd.yaml', import.meta.url))
const binaries = await binariesOrSkip(t)
if (binaries) {
  const plane = await startControlPlane(t, binaries, { crds: [crd] })
  await grantRights(plane)
  const { code, stdout, stderr } = await plane.kubectl(['create', 'token', serviceAccount.name, '-n', serviceAccount.namespace, '--duration', '1h'])
  if (code !== 0) throw new Error(stderr)
  const token = stdout.trim()
  const ca = await readFile(join(plane.folder, 'certs', 'ca.crt'), 'utf8')

  await t.test('a list of two files', async t => {
    const cluster = { clusters: [{ name: 'c', cluster: { server: plane.server, 'certificate-authority': 'ca.crt' } }], contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }] }
    const folder = t.testdir({
      clusters: { config: JSON.stringify(cluster), 'ca.crt': ca },
      // The first entry of a name counts, so these two have no say.
      users: {
        config: JSON.stringify({
          'current-context': 'x',
          clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
          users: [{ name: 'u', user: { token } }],
          contexts: [{ name: 'x', context: { cluster: 'c', user: 'somebody' } }],
        })
      },
    })
    const [first, second] = [join(folder, 'clusters/config'), join(folder, 'users/config')]
    const doctor = async (KUBECONFIG: string, ...args: readonly string[]) => {
      const said = await run(['doctor', '-o', 'json', ...args], { env: { KUBECONFIG } })
      const steps = said.code === 2 ? [] : (JSON.parse(said.stdout) as { steps: readonly { title: string, status: string }[] }).steps
      return { ...said, reached: steps.find(({ title }) => title === 'API server')?.status }
    }
    t.match(await doctor(`${first}:${second}`), { code: 3, reached: 'ok' }, 'the cluster of one, the user and the current context of the other')
    t.match(await doctor(`${first}:/nowhere:${second}`), { reached: 'ok' }, 'a file that is not there is passed over')
    t.match(await doctor(first), { code: 2, stderr: /no context ''; it has: 'x'/ }, 'neither is enough alone')
    t.match(await doctor(second), { code: 2, stderr: /context 'x' names the user 'somebody', which the file does not have/ })
    t.match(await doctor(second, '--kubeconfig', first, '--context', 'x'), { code: 2, stderr: /^dittofs-operator: --kubeconfig .*names the user 'u'/ }, 'a flag before the variable')
  })

  await t.test('in a pod of the operator', async t => {
    const root = t.testdir({})
    const directory = join(root, 'var/run/secrets/kubernetes.io/serviceaccount')
    await mkdir(directory, { recursive: true })
    for (const [name, content] of Object.entries({ 'ca.crt': ca, token, namespace: serviceAccount.namespace })) await writeFile(join(directory, name), content)
    const { hostname, port } = new URL(plane.server)
    const before = process.env
    process.env = { PATH: before.PATH, HOME: '/nonexistent', KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port }
    t.teardown(() => { process.env = before })
    const connection = await loadConnection({ root })
    t.match(connection, { inCluster: true, namespace: serviceAccount.namespace })
    const client = new ApiClient({ connection, userAgent: 'dittofs-operator/test' })
    t.teardown(() => { client.close() })
    const examined: Examined[] = []
    const patient = { client, namespace: serviceAccount.namespace, signal: AbortSignal.timeout(30_000), read: new Map() }
    for await (const one of examine(patient)) examined.push(one)
    const of = (title: string) => examined.find(one => one.title === title)?.diagnosis
    t.match(of('API server'), { status: 'ok' })
    t.match(of('Deployment'), { status: 'unknown', detail: /forbidden/i }, 'what its account may not read is not checked, and not called wrong')
  })
}
