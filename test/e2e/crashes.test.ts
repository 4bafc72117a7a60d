import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { binariesOrSkip, eventually, startControlPlane } from '../control-plane/control-plane.ts'
import { Chance } from '../simulation/random.ts'
import { asServiceAccount } from './installation.ts'
import { kubectlUser } from './kubectl-user.ts'
import { startOperator } from './operator.ts'
import { expandableClass, sceneOf, servers } from './scene.ts'

// An operator that is killed repeatedly at random moments reaches the same state as one that is never killed.

const crd = fileURLToPath(new URL('../../manifests/crd.yaml', import.meta.url))
const kills = 50
const random = new Chance(Date.now() % 1_000_000).next

// As many processes take their time, above all on a busy machine.
t.setTimeout(900_000)

const binaries = await binariesOrSkip(t, { controllerManager: true })
if (binaries) {
  const plane = await startControlPlane(t, binaries, { crds: [crd], controllerManager: true })
  const rights = await asServiceAccount(plane)
  const start = async () => await startOperator(t, [...rights, '--no-webhook', '--no-leader-elect'])

  const scene = async (namespace: string) => await sceneOf(plane, namespace, random)

  await t.test(`${kills} kills`, async t => {
    await kubectlUser(plane).apply(expandableClass)
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
      if (random() < 0.75) await eventually(async () => operator.lines.some(({ msg }) => msg === 'reconciling'), 'it works', 60_000)
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
