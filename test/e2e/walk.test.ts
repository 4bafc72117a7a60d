import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { binariesOrSkip, eventually, startControlPlane } from '../control-plane/control-plane.ts'
import { asServiceAccount, isNamespaced } from './installation.ts'
import { visitsOf } from './interesting-values.ts'
import { kubectlUser, serverOf, type Found } from './kubectl-user.ts'
import { startOperator } from './operator.ts'
import { comparable, expandableClass } from './scene.ts'
import { changeOf, chosen, spell, undo } from './visit.ts'
import type { Test } from 'tap'

// Each property of a running server is changed to each value of interest, and back. After every step its objects equal those of a server
// that was created with that spec; if the change is refused, only the status changes. (The idea comes from Acto,
// https://github.com/xlab-uiuc/acto.)

const crds = ['../../manifests/crd.yaml', 'percona-crd.yaml'].map(path => fileURLToPath(new URL(path, import.meta.url)))
const all = visitsOf()
/** WALK_VISITS=all takes some minutes more than there is time for in CI. */
const visits = chosen(all, process.env.WALK_VISITS, 90)
const walkers = 6
const patience = 60_000
/** Milliseconds: the loop retries a failed pass four times in it. */
const retries = 15_000
t.setTimeout(3_600_000)

type Objects = Readonly<Record<string, unknown>>
const name = 'files'
const base = { storage: { metadataSize: '10Gi', cacheSize: '5Gi', controlPlaneSize: '1Gi', storageClassName: 'expandable' } }
const sizes = { metadata: '10Gi', cache: '5Gi', controlplane: '1Gi' }
const lists = {
  configmap: '/api/v1/namespaces/NS/configmaps',
  service: '/api/v1/namespaces/NS/services',
  secret: '/api/v1/namespaces/NS/secrets',
  persistentvolumeclaim: '/api/v1/namespaces/NS/persistentvolumeclaims',
  statefulset: '/apis/apps/v1/namespaces/NS/statefulsets',
  perconapgcluster: '/apis/pgv2.percona.com/v2/namespaces/NS/perconapgclusters',
}
const inStatus = (server: Found, type: string) => server.status?.conditions?.find(condition => condition.type === type)

const sorted = (objects: Objects): Objects => Object.fromEntries(Object.entries(objects).sort(([a], [b]) => a < b ? -1 : 1))
/** Claims are never deleted: a stopped server still has them, and a server that never ran has none. */
const withClaims = (objects: Objects, before: Objects): Objects =>
  sorted({ ...Object.fromEntries(Object.entries(before).filter(([key]) => key.startsWith('persistentvolumeclaim '))), ...objects })

const binaries = await binariesOrSkip(t, { controllerManager: true })
if (isNamespaced) t.plan(0, 'it needs many namespaces')
else if (binaries) {
  const plane = await startControlPlane(t, binaries, { crds, controllerManager: true })
  const { apply } = kubectlUser(plane)
  await apply(expandableClass)
  const operator = await startOperator(t, [...await asServiceAccount(plane), '--no-webhook'])
  await operator.ready()
  const request = async <Value>(method: string, path: string, body?: unknown, contentType?: string) => {
    const { status, body: reply } = await plane.request(method, path, body, contentType)
    return { status, body: reply as Value }
  }
  const serverPath = (namespace: string) => `/apis/dittofs.dittofs.com/v1alpha1/namespaces/${namespace}/dittoservers/${name}`
  const serverIn = async (namespace: string) => (await request<Found>('GET', serverPath(namespace))).body
  const objectsIn = async (namespace: string): Promise<Objects> => {
    const found: Record<string, unknown> = {}
    for (const [kind, path] of Object.entries(lists)) {
      const { items } = (await request<{ items: Found[] }>('GET', path.replace('NS', namespace))).body
      for (const item of items) {
        if (item.metadata.name === 'kube-root-ca.crt') continue
        const { volumeName: _, ...spec } = item.spec as Found['spec'] & { volumeName?: string } | undefined ?? {}
        found[`${kind} ${item.metadata.name}`] = comparable(kind, { ...item, spec }, namespace)
      }
    }
    return sorted(found)
  }
  const tally = { followed: 0, refusedByLoop: 0, failing: 0, denied: 0, backDenied: 0 }
  /**
   * Waits until the loop has reported a verdict on the current spec. Objects are missing after a failed pass, so it waits for the next.
   * A pass that keeps failing is a verdict too: without the webhook, a server can have a value that the API server refuses in an object.
   */
  const judged = async (namespace: string) => {
    const reported = async () => await eventually(async () => {
      const server = await serverIn(namespace)
      return server.status?.observedGeneration === server.metadata.generation && server
    }, `${namespace}: its status`, patience)
    await reported()
    await eventually(async () => !hasFailed(await reported()), `${namespace}: a pass without failure`, retries).catch(() => { tally.failing++ })
    return await reported()
  }
  const atRest = async (namespace: string): Promise<Objects> => {
    let before = ''
    return await eventually(async () => {
      const objects = await objectsIn(namespace)
      const text = JSON.stringify(objects)
      if (text === before) return objects
      before = text
      await delay(700)
      return undefined
    }, `${namespace}: at rest`, patience)
  }
  const hasFailed = (server: Found) => inStatus(server, 'Progressing')?.reason === 'ReconcileFailed'
  const isRefused = (server: Found) => server.status?.phase === 'Failed' || inStatus(server, 'StorageReady')?.status === 'False'

  let namespaces = 0
  const place = async (prefix: string, withVolumes: boolean) => {
    const namespace = `${prefix}-${namespaces++}`
    await request('POST', '/api/v1/namespaces', { metadata: { name: namespace } })
    for (const [template, storage] of Object.entries(withVolumes ? sizes : {})) {
      await request('POST', '/api/v1/persistentvolumes', {
        metadata: { name: `${namespace}-${template}` },
        spec: {
          accessModes: ['ReadWriteOnce'],
          capacity: { storage },
          storageClassName: 'expandable',
          persistentVolumeReclaimPolicy: 'Retain',
          csi: { driver: 'example.com', volumeHandle: `${namespace}-${template}` },
          claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name: `${template}-${name}-0` },
        },
      })
    }
    return namespace
  }
  const make = async (namespace: string, spec: object) => await request<Found>('POST', serverPath(namespace).slice(0, -name.length - 1), serverOf(name, spec))
  const change = async (namespace: string, spec: unknown) => await request<Found>('PATCH', serverPath(namespace), { spec }, 'application/merge-patch+json')

  const remade = async () => {
    const namespace = await place('walk', true)
    await make(namespace, base)
    await eventually(async () => {
      const { items } = (await request<{ items: Found[] }>('GET', lists.persistentvolumeclaim.replace('NS', namespace))).body
      return items.length === Object.keys(sizes).length && items.every(({ status }) => status?.phase === 'Bound')
    }, `${namespace}: bound`, patience)
    await judged(namespace)
    return { namespace, base: await atRest(namespace) }
  }

  const equals = async (t: Pick<Test, 'strictSame'>, namespace: string, expected: Objects, what: string) => {
    await eventually(async () => JSON.stringify(await objectsIn(namespace)) === JSON.stringify(expected), what, patience).catch(() => {})
    t.strictSame(await objectsIn(namespace), expected, what)
  }

  await t.test(`${visits.length} of ${all.length} visits`, async t => {
    const left = [...visits]
    const walk = async () => {
      let walked = await remade()
      for (let visit = left.shift(); visit; visit = left.shift()) {
        const { namespace } = walked
        const before = (await serverIn(namespace)).spec
        const { status } = await change(namespace, changeOf(visit))
        if (status !== 200) {
          tally.denied++
          await delay(200)
          t.strictSame(await objectsIn(namespace), walked.base, `${spell(visit)}: denied (${status}), nothing changes`)
          continue
        }
        const server = await judged(namespace)
        if (hasFailed(server)) t.comment(`${spell(visit)}: ${inStatus(server, 'Progressing')?.message ?? ''}`)
        if (isRefused(server) || hasFailed(server)) {
          tally.refusedByLoop++
          t.strictSame(await atRest(namespace), walked.base, `${spell(visit)}: refused, nothing changes`)
        } else {
          tally.followed++
          const fresh = await place('fresh', false)
          const made = await make(fresh, server.spec)
          if (made.status !== 201) t.fail(`${spell(visit)}: followed, but no server is made with it (${made.status})`)
          await judged(fresh)
          await equals(t, namespace, withClaims(await atRest(fresh), walked.base), `${spell(visit)}: as one made with it`)
        }
        const back = await change(namespace, undo(before, visit))
        if (back.status === 200 && !isRefused(await judged(namespace))) await equals(t, namespace, walked.base, `${spell(visit)}: and back`)
        else {
          // Volumes that have grown do not shrink.
          tally.backDenied++
          walked = await remade()
        }
      }
    }
    await Promise.all(Array.from({ length: walkers }, walk))
    t.comment(Object.entries(tally).map(([what, times]) => `${what} ${times}`).join(', '))
    t.ok(tally.followed > visits.length / 4, `${tally.followed} followed`)
    t.strictSame(operator.lines.filter(({ level }) => level === 'error'), [])
  })
}
