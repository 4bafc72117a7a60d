import t from 'tap'
import { binariesOrSkip, eventually, startControlPlane } from '../control-plane/control-plane.ts'

// The ground that the other end-to-end tests stand on: real programs, and controllers that do their work.

const binaries = await binariesOrSkip(t)
if (binaries) {
  const { kubectl, signalApiServer, startApiServer, audit } = await startControlPlane(t, binaries, { controllerManager: true, audit: true })

  t.test('kubectl and the API server are of one version', async t => {
    const { stdout } = await kubectl(['version', '-o', 'json'])
    const { clientVersion, serverVersion } = JSON.parse(stdout) as Record<string, { gitVersion: string }>
    t.equal(clientVersion?.gitVersion, serverVersion?.gitVersion)
  })

  t.test('the controller manager makes claims from the templates of a StatefulSet', async t => {
    const set = {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'web' },
      spec: {
        serviceName: 'web',
        selector: { matchLabels: { app: 'web' } },
        template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'example.com/web' }] } },
        volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }],
      },
    }
    t.equal((await kubectl(['apply', '-f', '-'], JSON.stringify(set))).code, 0)
    await eventually(async () => (await kubectl(['get', 'pvc', 'data-web-0'])).code === 0, 'the claim')
    t.ok((await audit()).some(({ verb, objectRef }) => verb === 'create' && objectRef?.resource === 'persistentvolumeclaims'), 'the audit log has it')
  })

  t.test('the API server goes away and comes back with its data', async t => {
    signalApiServer('SIGKILL')
    await eventually(async () => (await kubectl(['get', 'ns', '--request-timeout=1s'])).code !== 0, 'gone')
    await startApiServer()
    t.equal((await kubectl(['get', 'statefulset', 'web'])).code, 0)
  })
}
