import t, { type Test } from 'tap'
import { binariesOrSkip, startControlPlane } from '../control-plane/control-plane.ts'
import { findHelm, noHelm } from '../manifests/helm.ts'
import { ownAddressOrSkip } from './installation.ts'
import { faultsOf, refused, type Expected, type Mode } from './installed-faults.ts'
import { installAndStart, look, prepareSite, type Site } from './installers.ts'
import { kubectlUser, serverOf } from './kubectl-user.ts'

// One fault after the other in installations by each tool, each with another source of its certificate and another scope. The doctor
// reports the fault and its consequences, and nothing else. The remedy fits the tool.

const modes: readonly Mode[] = [
  {
    choice: { certificate: 'self', scope: 'cluster', count: 2, by: 'kustomize' },
    reapply: /^kubectl apply --server-side -k manifests\/default, or the overlay/,
    renew: /^kubectl -n dittofs-system annotate secret dittofs-operator-tls .*rotate=certificate/,
    watched: 'default',
  },
  {
    choice: { certificate: 'cert-manager', scope: 'namespaced', count: 2, by: 'helm' },
    reapply: /^helm upgrade dittofs-operator manifests\/chart -n dittofs-system --reset-then-reuse-values/,
    renew: /^kubectl -n dittofs-system describe certificate dittofs-operator-webhook$/,
    watched: 'dittofs',
  },
  {
    choice: { certificate: 'files', scope: 'least-privilege', count: 2, by: 'argo-cd' },
    reapply: /^sync the Application storage of Argo CD/,
    renew: /^put a certificate, .*: Secret dittofs-system\/dittofs-operator-files/,
    watched: 'dittofs',
  },
]

async function reports (t: Test, { plane: { client } }: Site, expected: Expected): Promise<void> {
  const notFine = (await look(client)).found.filter(({ status }) => status !== 'ok')
  const said = notFine.map(({ title, detail }) => `${title}: ${detail}`).join('; ')
  const titles = Object.entries(expected)
    .filter(([title, { isCertain = true }]) => isCertain || notFine.some(found => found.title === title)).map(([title]) => title)
  t.strictSame(notFine.map(({ title }) => title).sort(), titles.sort(), said || 'all is fine')
  for (const { title, ...diagnosis } of notFine) {
    const { isCertain: _, ...wanted } = expected[title] ?? { status: 'ok' }
    t.match(diagnosis, wanted, title)
  }
}

/** Faults that a running operator would repair, or whose time has to be written by hand. */
async function withoutProcess (t: Test, site: Site, watched: string): Promise<void> {
  const { user: { run } } = site
  const logs = /^kubectl -n dittofs-system logs deployment/
  const gone: Expected = { Admission: refused, Leader: { status: 'wrong', detail: /^no replica reconciles$/, fix: logs } }
  const longAgo = new Date(Date.now() - 3_600_000).toISOString()
  const merge = async (args: readonly string[], change: object) => await run(['patch', ...args, '--type=merge', '-p', JSON.stringify(change)])
  const isFound = async (what: string, expected: Expected) => {
    await t.test(what, async t => { await reports(t, site, expected) })
  }
  await isFound('no process', gone)

  const conditionIs = async (type: string, status: string, reason: string) => await merge(['-n', watched, 'dittoserver', 'stuck', '--subresource=status'], {
    status: { conditions: [{ type, status, reason, message: 'x', lastTransitionTime: longAgo }] },
  })
  const stuck = (detail: RegExp) => ({ ...gone, DittoServers: { status: 'warning', detail, fix: /^dittofs-operator status --all-namespaces/ } })
  await conditionIs('Progressing', 'True', 'ReconcileFailed')
  await isFound('a server whose reconcile keeps failing', stuck(/\/stuck cannot be reconciled$/))
  await conditionIs('Available', 'False', 'PodNotReady')
  await isFound('a server that does not become available', stuck(/\/stuck is not available: PodNotReady$/))
  await conditionIs('Stalled', 'True', 'PortConflict')
  await isFound('a server that is stalled', stuck(/\/stuck is stalled: PortConflict$/))

  await run(['-n', watched, 'delete', 'dittoserver', 'stuck', '--wait=false'])
  const left = await run(['-n', watched, 'get', 'dittoserver', 'stuck', '--ignore-not-found', '-o', 'name'])
  if (left !== '') await merge(['-n', watched, 'dittoserver', 'stuck'], { metadata: { finalizers: null } })
  await merge(['-n', 'dittofs-system', 'lease', 'dittofs-operator'], { spec: { holderIdentity: 'silent', renewTime: longAgo.replace('Z', '000Z') } })
  await isFound('a leader that is silent', { ...gone, Leader: { status: 'wrong', detail: /^silent has not renewed the Lease for 36\d\d s$/, fix: logs } })
  await run(['-n', 'dittofs-system', 'delete', 'lease', 'dittofs-operator'])
}

t.test('faults in installations', async t => {
  const binaries = await binariesOrSkip(t, { controllerManager: true })
  const address = binaries && ownAddressOrSkip(t)
  if (!binaries || address === undefined) return
  const helm = await findHelm()
  const plane = await startControlPlane(t, binaries, { controllerManager: true, apiServerFlags: { 'enable-aggregator-routing': 'true' } })
  const user = kubectlUser(plane)
  const site = { plane, user, address, helm, own: t.testdir({}) }
  await prepareSite(t, site)
  const faults = await faultsOf(site)

  for (const mode of modes) {
    const { certificate, scope, by } = mode.choice
    const skip = by === 'helm' && helm === undefined ? noHelm : false
    await t.test(`${by}, ${certificate}, ${scope}`, { skip }, async t => {
      const { operator, remove } = await installAndStart(t, site, mode.choice)
      await reports(t, site, {})
      for (const { what, make, undo, expected } of faults.filter(fault => fault.isPossible?.(mode) ?? true)) {
        await t.test(what, async t => {
          await make()
          await reports(t, site, expected(mode))
          await undo()
        })
      }
      await reports(t, site, {})
      await user.run(['-n', mode.watched, 'apply', '-f', '-'], JSON.stringify(serverOf('stuck')))
      await operator.end()
      await withoutProcess(t, site, mode.watched)
      await remove()
    })
  }
})
