import { fileURLToPath } from 'node:url'
import t from 'tap'
import { binariesOrSkip, eventually, startControlPlane } from '../control-plane/control-plane.ts'
import { asServiceAccount } from './installation.ts'
import { kubectlUser, serverOf, type FoundStatefulSet } from './kubectl-user.ts'
import { startOperator } from './operator.ts'

// The Pod Security Standard `restricted` allows the pods of a server.

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const binaries = await binariesOrSkip(t, { controllerManager: true })
if (binaries) {
  const crds = [file('../../manifests/crd.yaml'), file('percona-crd.yaml')]
  const plane = await startControlPlane(t, binaries, { crds, controllerManager: true, admissionPlugins: ['PodSecurity'] })
  const { run, apply, awaitObject, get, patch } = kubectlUser(plane)
  await run(['label', 'namespace', 'default', 'pod-security.kubernetes.io/enforce=restricted', 'pod-security.kubernetes.io/warn=restricted'])
  const operator = await startOperator(t, [...await asServiceAccount(plane), '--no-webhook'])
  await operator.ready()

  t.test('the namespace does refuse other pods', async t => {
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'lax' }, spec: { containers: [{ name: 'a', image: 'a' }] } }
    await t.rejects(run(['create', '-f', '-'], JSON.stringify(pod)), /violates PodSecurity "restricted/)
  })

  const specs: Record<string, object> = {
    plain: {},
    everything: {
      metrics: { enabled: true },
      smb: { enabled: true },
      storage: { metadataSize: '1Gi', contentSize: '1Gi' },
      s3: { credentialsSecretRef: { secretName: 's3' } },
      resources: { limits: { memory: '1Gi' } },
    },
    mine: { podSecurityContext: { fsGroup: 4000 }, securityContext: { runAsUser: 4000 } },
    database: { percona: { enabled: true } },
  }
  for (const [name, spec] of Object.entries(specs)) {
    t.test(`a pod of the server '${name}' is made`, async t => {
      await apply(serverOf(name, spec))
      if (name === 'database') {
        await awaitObject('perconapgcluster', 'database-postgres', () => true, 'made')
        await patch('perconapgcluster', 'database-postgres', { status: { state: 'ready' } }, '--subresource=status')
      }
      const { spec: { template } } = await awaitObject<FoundStatefulSet>('statefulset', name, () => true, 'made')
      t.equal(template.spec.initContainers?.length ?? 0, name === 'database' ? 1 : 0)
      const refusals = async () => await run(['get', 'events', '--field-selector', `involvedObject.name=${name},reason=FailedCreate`, '-o', 'jsonpath={.items[*].message}'])
      await eventually(async () => {
        const refused = await refusals()
        if (refused) throw new Error(refused)
        return await get('pod', `${name}-0`)
      }, 'the pod', 20_000)
      t.equal(await refusals(), '')
    })
  }
}
