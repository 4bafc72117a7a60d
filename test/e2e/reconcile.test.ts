import { fileURLToPath } from 'node:url'
import t from 'tap'
import { binariesOrSkip, eventually, startControlPlane } from '../control-plane/control-plane.ts'
import { asServiceAccount } from './installation.ts'
import { startOperator } from './operator.ts'

// A DittoServer becomes a running set of objects, on a real API server with the real controllers.

const manifests = fileURLToPath(new URL('../../manifests/', import.meta.url))
const binaries = await binariesOrSkip(t, { controllerManager: true })
if (binaries) {
  const plane = await startControlPlane(t, binaries, { crds: [`${manifests}crd.yaml`], controllerManager: true, audit: true })
  const { kubectl } = plane
  const operator = await startOperator(t, [...await asServiceAccount(plane), '--no-webhook'])
  await operator.ready()

  const apply = async (object: object) => {
    const { code, stderr } = await kubectl(['apply', '-f', '-'], JSON.stringify(object))
    if (code !== 0) throw new Error(stderr)
  }
  const serverOf = (name: string, spec: object = {}) => ({
    apiVersion: 'dittofs.dittofs.com/v1alpha1', kind: 'DittoServer', metadata: { name }, spec: { storage: { metadataSize: '10Gi' }, ...spec },
  })
  const get = async <Value = Record<string, never>>(kind: string, name: string): Promise<Value | undefined> => {
    const { code, stdout } = await kubectl(['get', kind, name, '-o', 'json'])
    return code === 0 ? JSON.parse(stdout) as Value : undefined
  }
  interface Condition { type: string, status: string, reason: string, message: string }
  interface Conditioned { status?: { observedGeneration?: number, phase?: string, conditions?: Condition[] } }
  const condition = async (name: string, type: string) =>
    (await get<Conditioned>('dittoserver', name))?.status?.conditions?.find(found => found.type === type)

  t.test('create: all objects exist, and the claims are created', async t => {
    await apply(serverOf('demo', { metrics: { enabled: true }, smb: { enabled: true } }))
    await eventually(async () => await get('statefulset', 'demo'), 'the StatefulSet')
    for (const name of ['demo-headless', 'demo-file', 'demo-api', 'demo-metrics']) t.ok(await get('service', name), name)
    for (const name of ['metadata-demo-0', 'cache-demo-0', 'controlplane-demo-0']) await eventually(async () => await get('pvc', name), name)
    t.ok(await get('configmap', 'demo-config'))
    t.ok(await get('secret', 'demo-jwt-secret'))
    const ready = await eventually(async () => await condition('demo', 'ConfigReady'), 'a condition')
    t.match(ready, { status: 'True', reason: 'ConfigValid' })
    t.strictSame(operator.lines.filter(({ level }) => level === 'error' || level === 'warn'), [])
  })
}
