import type { Test } from 'tap'
import { eventually, type ControlPlane } from '../control-plane/control-plane.ts'
import { startBalancer } from './balancer.ts'
import { installSelfSigned, startReplica } from './self-signed.ts'

/** Two replicas behind a balancer, ready. One ends when another is ready in its stead, as in a Deployment with `maxUnavailable: 0`. */
export async function startReplicaSet (t: Pick<Test, 'teardown'>, plane: ControlPlane, args: readonly string[]) {
  const balancer = await startBalancer(t)
  const installed = await installSelfSigned(plane, balancer.port)
  await installed.create()
  const start = async (changed = args) => {
    const replica = await startReplica(t, plane, changed)
    balancer.add(replica)
    return replica
  }
  const ready = async (replica: Awaited<ReturnType<typeof start>>) =>
    await eventually(async () => balancer.isReady(replica), `ready; it said:\n${replica.said.slice(-5).join('\n')}`, 60_000)
  let replicas: readonly Awaited<ReturnType<typeof start>>[] = await Promise.all([start(), start()])
  await Promise.all(replicas.map(ready))
  return {
    balancer,
    installed,
    all: () => replicas,
    /** Milliseconds from the signal to the end of the oldest one, and how it ended. Its successor may have other arguments. */
    restartOne: async (changed = args) => {
      const fresh = await start(changed)
      await ready(fresh)
      const [oldest = fresh, ...others] = replicas
      replicas = [...others, fresh]
      const signalled = performance.now()
      oldest.child.kill('SIGTERM')
      const [code, signal] = await oldest.exited
      balancer.remove(oldest)
      return { code, signal, milliseconds: performance.now() - signalled }
    },
  }
}
