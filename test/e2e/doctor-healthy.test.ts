import t, { type Test } from 'tap'
import { ApiClient } from '../../src/cluster/api-client.ts'
import { loadConnection } from '../../src/cluster/kubeconfig.ts'
import { binariesOrSkip, startControlPlane } from '../control-plane/control-plane.ts'
import { findHelm, noHelm } from '../manifests/helm.ts'
import { pairwise } from '../manifests/value-sets.ts'
import { ownAddressOrSkip } from './installation.ts'
import { certificates, installAndStart, look, prepareSite, replicas, scopes, tools, type Choice, type Site } from './installers.ts'
import { kubectlUser } from './kubectl-user.ts'

// What `doctor` says of installations that are as they should be: nothing. Every pair of certificates, scope, replicas and tool is among
// them.

const pick = <Item>(items: readonly [Item, ...Item[]], index = 0): Item => items[index] ?? items[0]
const choices: readonly Choice[] = [
  ...pairwise([certificates, scopes, replicas, tools].map(({ length }) => length)).map(([a, b, c, d]) =>
    ({ certificate: pick(certificates, a), scope: pick(scopes, b), count: pick(replicas, c), by: pick(tools, d) })),
  { certificate: 'self', scope: 'cluster', count: 2, by: 'helm', values: { webhook: { port: 10260 }, healthPort: 10261, controller: { enabled: false } } },
  { certificate: 'self', scope: 'cluster', count: 2, by: 'helm', values: { hostNetwork: true, networkPolicy: { enabled: false } } },
]

async function isHealthy (t: Test, site: Site, choice: Choice): Promise<void> {
  const { operator, remove } = await installAndStart(t, site, choice)
  const { found, accused } = await look(site.plane.client)
  t.strictSame(accused, [], 'no finding')
  t.strictSame(found.filter(({ status }) => status !== 'ok'), [], 'all was looked at')
  const client = new ApiClient({ connection: await loadConnection({ file: operator.kubeconfig }), userAgent: 'test' })
  t.strictSame((await look(client)).accused, [], 'nor by the operator itself, in its pod')
  client.close()
  await operator.end()
  await remove()
}

t.test(`${choices.length} healthy installations`, async t => {
  const binaries = await binariesOrSkip(t, { controllerManager: true })
  const address = binaries && ownAddressOrSkip(t)
  if (!binaries || address === undefined) return
  const helm = await findHelm()
  const plane = await startControlPlane(t, binaries, { controllerManager: true, apiServerFlags: { 'enable-aggregator-routing': 'true' } })
  const site = { plane, user: kubectlUser(plane), address, helm, own: t.testdir({}) }
  await prepareSite(t, site)
  for (const choice of choices) {
    const { certificate, scope, count, by, values } = choice
    const skip = by === 'helm' && helm === undefined ? noHelm : false
    const title = `${certificate}, ${scope}, ${count} replicas, ${by}${values ? `, ${JSON.stringify(values)}` : ''}`
    await t.test(title, { skip }, async t => { await isHealthy(t, site, choice) })
  }
})
