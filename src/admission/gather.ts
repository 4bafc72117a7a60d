import type { Cluster } from '../cluster/cluster.ts'
import { unknown, type Fact } from '../rules/facts.ts'
import type { Facts, Need } from '../rules/rule.ts'

/**
 * Looks up what the rules need, all at once, in the namespace of the request only: a review must not tell its sender
 * anything about other namespaces. Never rejects; what is late when `budget` milliseconds are over is `unknown`.
 */
export async function gather (needs: readonly Need[], cluster: Cluster, namespace: string, budget: number): Promise<Facts> {
  const facts = new Map<string, Fact<unknown>>()
  if (needs.length > 0) {
    const controller = new AbortController()
    const timer = setTimeout(() => controller.abort(new Error('timed out')), budget)
    const late = new Promise<Fact<never>>(resolve => {
      controller.signal.addEventListener('abort', () => resolve(unknown('timed out')), { once: true })
    })
    await Promise.all(needs.map(async need => {
      facts.set(keyOf(need), await Promise.race([lookUp(need, cluster, namespace, controller.signal), late]))
    }))
    clearTimeout(timer)
  }
  const of = <Value>(need: Need): Fact<Value> => {
    const fact = facts.get(keyOf(need)) as Fact<Value> | undefined
    if (!fact) throw new Error(`a rule reads a fact that it does not list in its needs: ${keyOf(need)}`)
    return fact
  }
  return {
    storageClass: name => of({ kind: 'StorageClass', name }),
    storageClasses: () => of({ kind: 'StorageClasses' }),
    secret: name => of({ kind: 'Secret', name }),
    perconaServed: () => of({ kind: 'PerconaCRD' }),
  }
}

const keyOf = (need: Need): string => Object.values(need).join('/')

async function lookUp (need: Need, cluster: Cluster, namespace: string, signal: AbortSignal): Promise<Fact<unknown>> {
  switch (need.kind) {
    case 'StorageClass': return await cluster.storageClass(need.name, signal)
    case 'StorageClasses': return cluster.storageClasses()
    case 'Secret': return await cluster.secret(namespace, need.name, signal)
    case 'PerconaCRD': return await cluster.perconaServed(signal)
  }
}
