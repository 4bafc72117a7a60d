import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { binariesOrSkip, eventually, startControlPlane } from '../control-plane/control-plane.ts'
import { Chance } from '../simulation/random.ts'
import { passes, startFaultProxy, type Fate, type Passing } from './fault-proxy.ts'
import { grantRights, serviceAccount, serviceAccountFlags } from './installation.ts'
import { kubectlUser } from './kubectl-user.ts'
import { startOperator } from './operator.ts'
import { expandableClass, sceneOf } from './scene.ts'
import type { Test } from 'tap'

// Whatever goes wrong between the operator and the API server, in the end everything is as it is without.

const crd = fileURLToPath(new URL('../../manifests/crd.yaml', import.meta.url))
t.setTimeout(900_000)

/** Of all reconciling, and as long as each lasts while the scene is played. */
interface Trouble {
  readonly says: string
  readonly fate?: (request: Passing, chance: () => number) => Fate
  /** Actions that run concurrently. */
  readonly meanwhile?: (context: { readonly operator: Operator, readonly proxy: Proxy, readonly t: Test }) => Promise<void>
  /** Milliseconds. */
  readonly lasts: number
  readonly replicas?: number
}

type Operator = Awaited<ReturnType<typeof startOperator>>
type Proxy = Awaited<ReturnType<typeof startFaultProxy>>

const some = (share: number, chance: () => number, fate: Fate): Fate => chance() < share ? fate : passes
const answered = (status: number, reason: string, retryAfter?: number): Fate =>
  ({ kind: 'answered', status, reason, ...(retryAfter === undefined ? {} : { retryAfter }) })

const troubles: Readonly<Record<string, Trouble>> = {
  busy: {
    says: 'half of all requests get a 429 with Retry-After',
    fate: ({ isLease }, chance) => isLease ? passes : some(0.5, chance, answered(429, 'TooManyRequests', 1)),
    lasts: 25_000,
  },
  conflicts: {
    says: 'half of all writes get a 409',
    fate: ({ isWrite, isLease }, chance) => isWrite && !isLease ? some(0.5, chance, answered(409, 'Conflict')) : passes,
    lasts: 25_000,
  },
  expired: {
    says: 'half of all watches, and of the lists behind them, get a 410',
    fate: ({ isWatch, path }, chance) => isWatch || path.includes('limit=') ? some(0.5, chance, answered(410, 'Expired')) : passes,
    meanwhile: async ({ proxy }) => {
      // Open watches do not notice this: they must be restarted.
      for (let round = 0; round < 5; round++) {
        proxy.endWatches()
        await delay(4_000)
      }
    },
    lasts: 25_000,
  },
  slow: { says: 'each call takes 3 s', fate: ({ isWatch }) => isWatch ? passes : { kind: 'passes', after: 3_000 }, lasts: 30_000 },
  'lost-replies': {
    says: 'of a third of the writes the reply is lost',
    fate: ({ isWrite, isLease }, chance) => isWrite && !isLease ? some(0.33, chance, { kind: 'reply lost' }) : passes,
    lasts: 25_000,
  },
  'brown-out': {
    says: 'all but the Lease times out (504)', fate: ({ isLease }) => isLease ? passes : answered(504, 'Timeout'), lasts: 20_000,
  },
  away: { says: 'the API server refuses every connection for 60 s', fate: () => ({ kind: 'refused' }), lasts: 60_000 },
  silent: {
    says: 'watches fall silent, and their connections stay open',
    meanwhile: async ({ operator, proxy, t }) => {
      const silent = proxy.silenceWatches()
      t.ok(silent > 4, `${silent} watches`)
      const noticed = async () => [...(await operator.get('/metrics')).text.matchAll(/^dittofs_operator_watch_events_total\{.*event="silent".*\} (\d+)$/gm)]
        .reduce((sum, [, count]) => sum + Number(count), 0)
      await eventually(async () => await noticed() >= silent, 'all are noticed', 60_000)
    },
    lasts: 1_000,
  },
  paused: {
    says: 'the leader stands still for longer than its Lease lasts',
    meanwhile: async ({ operator }) => {
      operator.child.kill('SIGSTOP')
      await delay(22_000)
      operator.child.kill('SIGCONT')
    },
    lasts: 1_000,
    replicas: 2,
  },
}

const binaries = await binariesOrSkip(t, { controllerManager: true })
if (binaries) {
  const plane = await startControlPlane(t, binaries, { crds: [crd], controllerManager: true })
  await grantRights(plane)
  const { run, apply } = kubectlUser(plane)
  await apply(expandableClass)
  const flags = await serviceAccountFlags(plane)
  const kubeconfigAt = flags.indexOf('--kubeconfig') + 1

  /** Restarts processes that end, like the kubelet. */
  const supervised = async (t: Test, args: readonly string[]) => {
    const started: Operator[] = []
    const end = { isAsked: false }
    const keepRunning = async () => {
      while (!end.isAsked) {
        const operator = await startOperator(t, args)
        started.push(operator)
        await operator.exited
        await delay(1_000)
      }
    }
    const running = keepRunning()
    t.teardown(async () => {
      end.isAsked = true
      for (const { child } of started) child.kill('SIGKILL')
      await running
    })
    await eventually(() => Promise.resolve(started.length > 0), 'started')
    return started
  }

  /** An operator for one namespace only, behind its own proxy. */
  const scene = async (t: Test, namespace: string, { fate, meanwhile, lasts, replicas = 1 }: Omit<Trouble, 'says'>) => {
    const random = new Chance(1).next
    const proxy = await startFaultProxy(t, plane)
    const kubeconfig = await proxy.kubeconfig(flags[kubeconfigAt] ?? '')
    const args = [...flags.with(kubeconfigAt, kubeconfig), '--watch-namespace', namespace, '--leader-election-namespace', namespace, '--no-webhook']
    const { play, outcome } = await sceneOf(plane, namespace, random)
    const inNamespace = ['-n', namespace]
    await run(['create', 'role', 'election', '--verb=get,create,update', '--resource=leases.coordination.k8s.io', ...inNamespace])
    await run(['create', 'rolebinding', 'election', '--role=election', `--serviceaccount=${serviceAccount.namespace}:${serviceAccount.name}`, ...inNamespace])
    const first = await supervised(t, args)
    const others = await Promise.all(Array.from({ length: replicas - 1 }, async () => {
      await eventually(async () => await Promise.resolve(first[0]?.lines.some(({ msg }) => msg === 'this process is the leader')), 'it leads', 60_000)
      return await supervised(t, args)
    }))
    const [operator] = first
    if (!operator) throw new Error('no operator')
    await operator.ready(60_000)
    const playing = play(() => random() * 1_000)
    await delay(2_000)
    if (fate) proxy.suffer(request => fate(request, random))
    await Promise.all([meanwhile?.({ operator, proxy, t }), delay(lasts)])
    proxy.recover()
    const began = performance.now()
    await playing.catch((error: unknown) => {
      throw new Error(`${namespace}: ${(error as Error).message}; the operator said:\n${[first, ...others].flat().flatMap(one => one.said.slice(-8)).join('\n')}`)
    })
    return { outcome, began, said: () => [first, ...others].flat().flatMap(({ lines }) => lines) }
  }

  const jobs = 3
  await t.test('the result is the same as without faults', { jobs }, async t => {
    const calm = await scene(t, 'calm', { lasts: 0 })
    let expected: Record<string, unknown> = {}
    await eventually(async () => {
      expected = await calm.outcome()
      return await delay(3_000).then(async () => JSON.stringify(await calm.outcome()) === JSON.stringify(expected))
    }, 'the calm one is at rest', 60_000)
    t.ok(Object.keys(expected).length > 40, `${Object.keys(expected).length} objects`)

    const only = process.env.FAULT
    const chosen = Object.entries(troubles).filter(([name]) => only === undefined || name === only)
    await Promise.all(chosen.map(async ([namespace, trouble]) => await t.test(trouble.says, async t => {
      const { outcome, began, said } = await scene(t, namespace, trouble)
      await eventually(async () => JSON.stringify(await outcome()) === JSON.stringify(expected), 'the same', 90_000).catch(() => {})
      if (only !== undefined) for (const line of said()) t.comment(JSON.stringify(line))
      t.strictSame(await outcome(), expected, `the same ${((performance.now() - began) / 1000).toFixed(1)} s later`)
      const complaints = said().filter(({ level, msg = '' }) => (level === 'error' || level === 'fatal') && !msg.includes('leadership is lost'))
      t.strictSame(complaints, [])
    })))
  })
}
