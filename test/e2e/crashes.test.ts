import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { binariesOrSkip, eventually, startControlPlane } from '../control-plane/control-plane.ts'
import { seeded } from '../leader-election/simulation.ts'
import { asServiceAccount } from './installation.ts'
import { kubectlUser, serverOf, type Found } from './kubectl-user.ts'
import { startOperator } from './operator.ts'

// An operator that is killed again and again, at any moment, ends up where one that runs through does.

const crd = fileURLToPath(new URL('../../manifests/crd.yaml', import.meta.url))
const kills = 50
const random = seeded(Date.now() % 1_000_000)
const servers = ['a', 'b', 'c', 'd', 'e', 'f']
const claims = { metadata: '1Gi', cache: '5Gi', controlplane: '1Gi' }
const kindsMade = ['configmap', 'service', 'statefulset', 'secret', 'persistentvolumeclaim', 'dittoserver']

/** Nothing starts pods here, so a rollout stays where it is: at the update, or at the start if the update came before the pod. */
const rollout = new Set(['Progressing', 'Reconciling'])

// As many processes take their time, above all on a busy machine.
t.setTimeout(900_000)

const binaries = await binariesOrSkip(t, { controllerManager: true })
if (binaries) {
  const plane = await startControlPlane(t, binaries, { crds: [crd], controllerManager: true })
  const rights = await asServiceAccount(plane)
  const start = async () => await startOperator(t, [...rights, '--no-webhook', '--no-leader-elect'])

  /** The same things done to the same servers, in a namespace of their own. */
  const scene = async (namespace: string) => {
    const user = kubectlUser({ kubectl: async (args, input) => await plane.kubectl(['-n', namespace, ...args], input) })
    const { run, patch, apply, get } = user
    await run(['create', 'namespace', namespace])
    for (const name of servers) {
      for (const [template, storage] of Object.entries(claims)) {
        await apply({
          apiVersion: 'v1',
          kind: 'PersistentVolume',
          metadata: { name: `${namespace}-${template}-${name}` },
          spec: {
            accessModes: ['ReadWriteOnce'],
            capacity: { storage },
            storageClassName: 'expandable',
            persistentVolumeReclaimPolicy: 'Retain',
            csi: { driver: 'example.com', volumeHandle: `${namespace}-${template}-${name}` },
            claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name: `${template}-${name}-0` },
          },
        })
      }
    }
    const spec = async (name: string, change: object) => await patch('dittoserver', name, { spec: change })
    const list = async (kind: string) => (JSON.parse(await run(['get', kind, '-o', 'json'])) as { items: Found[] }).items
    const bound = async (name: string) =>
      await eventually(async () => (await get('pvc', `cache-${name}-0`))?.status?.phase === 'Bound', `cache-${name}-0 bound`, 120_000)
    const grown = async (name: string) =>
      await eventually(async () => JSON.stringify(await get('pvc', `cache-${name}-0`)).includes('"requests":{"storage":"10Gi"}'), `cache-${name}-0 grown`, 120_000)
    /** What a person does, in this order for each server; the servers have their turns at random. */
    const steps = (name: string): (() => Promise<unknown>)[] => [
      async () => await apply(serverOf(name, { storage: { metadataSize: '1Gi', storageClassName: 'expandable' } })),
      async () => await spec(name, { metrics: { enabled: true }, smb: { enabled: true }, image: 'example.com/dittofs:2' }),
      async () => {
        await bound(name)
        await spec(name, { storage: { cacheSize: '10Gi' } })
      },
      async () => await spec(name, { metrics: { enabled: false }, replicas: name < 'c' ? 0 : 1 }),
      ...name > 'c'
        ? [async () => {
            // What is deleted before its volume has grown leaves a small one behind, rightly.
            await grown(name)
            await run(['delete', 'dittoserver', name, '--wait=false'])
          }]
        : [],
      ...name > 'e'
        ? [async () => {
            await user.awaitGone('dittoserver', name, 60_000)
            await apply(serverOf(name, { storage: { metadataSize: '1Gi', cacheSize: '10Gi', storageClassName: 'expandable' }, nfsPort: 2049 }))
          }]
        : [],
    ]
    return {
      list,
      /** Takes all steps, with a pause before each. */
      play: async (pause: () => number) => {
        const left = servers.map(steps)
        for (;;) {
          const open = left.filter(remaining => remaining.length > 0)
          const next = open[Math.floor(random() * open.length)]?.shift()
          if (!next) return
          await delay(pause())
          await next()
        }
      },
      /** Every object, without what chance or the clock decides. */
      outcome: async () => {
        const owners = new Map((await list('dittoserver')).map(({ metadata: { uid, name } }) => [uid, name]))
        const text: Record<string, unknown> = {}
        for (const kind of kindsMade) {
          for (const object of await list(kind)) {
            if (object.metadata.name === 'kube-root-ca.crt') continue
            for (const { uid } of object.metadata.ownerReferences ?? []) if (!owners.has(uid)) text[`orphan ${kind} ${object.metadata.name}`] = uid
            text[`${kind} ${object.metadata.name}`] = comparable(kind, object, namespace)
          }
        }
        return text
      },
    }
  }

  await t.test(`${kills} kills`, async t => {
    await kubectlUser(plane).apply({
      apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'expandable' }, provisioner: 'example.com/none', allowVolumeExpansion: true,
    })
    const stormy = await scene('stormy')
    const keys = new Map<string, string>()
    const act = { isOver: false }
    // About as long as the kills take, whatever the machine.
    const play = stormy.play(() => random() * 5_000).finally(() => { act.isOver = true })
    const noteKeys = async () => {
      for (const { metadata: { name, uid, ownerReferences = [] } } of await stormy.list('secret')) {
        const key = `${name} of ${ownerReferences[0]?.uid}`
        if (keys.has(key) && keys.get(key) !== uid) t.fail(`${key} was made twice`)
        keys.set(key, uid)
      }
    }
    const watchKeys = (async () => {
      while (!act.isOver) {
        await noteKeys()
        await delay(300)
      }
    })()
    let killed = 0
    while (killed < kills || !act.isOver) {
      const operator = await start()
      // Some while it starts, most while it works.
      if (random() < 0.75) await eventually(async () => operator.lines.some(({ msg }) => msg === 'reconciling'), 'it works', 20_000)
      await delay(random() * 1_200)
      if (killed >= kills && !act.isOver) {
        await play
        await delay(1_000)
      }
      operator.child.kill('SIGKILL')
      t.strictSame(await operator.exited, [null, 'SIGKILL'])
      killed++
    }
    await Promise.all([play, watchKeys])
    t.ok(killed >= kills, `${killed} kills`)

    const last = await start()
    const calm = await scene('calm')
    await calm.play(() => 700)
    let expected: Record<string, unknown> = {}
    await eventually(async () => {
      expected = await calm.outcome()
      return await delay(3_000).then(async () => JSON.stringify(await calm.outcome()) === JSON.stringify(expected))
    }, 'the calm one is at rest', 60_000)
    await eventually(async () => JSON.stringify(await stormy.outcome()) === JSON.stringify(expected), 'the same', 30_000).catch(() => {})
    t.strictSame(await stormy.outcome(), expected, `${Object.keys(expected).length} objects are the same in both`)
    await noteKeys()
    t.equal(keys.size, servers.length + 1, 'one signing key for each server that there ever was')
    t.strictSame(Object.keys(expected).filter(name => name.startsWith('orphan')), [])
    t.strictSame(last.lines.filter(({ level }) => level === 'error'), [])
  })
}

function comparable (kind: string, { metadata: { labels, ownerReferences = [] }, spec, data, status }: Found, namespace: string): unknown {
  const text = JSON.stringify({
    labels,
    owned: ownerReferences.length,
    spec,
    data: kind === 'secret' ? Object.keys(data ?? {}) : data,
    status: kind === 'dittoserver' ? [status?.phase, status?.conditions?.map(({ type, status, reason }) => [type, status, rollout.has(type) ? '' : reason])] : undefined,
  })
  const volatile = /"(clusterIPs?|nodePort|healthCheckNodePort|volumeName|dittofs\.io\/config-hash)":("[^"]*"|\d+|\[[^\]]*\])/g
  return JSON.parse(text.replaceAll(volatile, '"$1":0').replaceAll(namespace, 'NAMESPACE')) as unknown
}
