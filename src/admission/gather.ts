import type { Cluster } from '../cluster/cluster.ts'
import { unknown, type Fact, type Facts } from '../rules/facts.ts'
import type { Need } from '../rules/rule.ts'

/**
 * Looks up all facts that the rules need, in parallel, and only in the namespace of the request: a review must not disclose anything about
 * other namespaces. Never rejects. Facts that are not known after `budget` milliseconds are `unknown`.
 */
export function gather (needs: readonly Need[], cluster: Cluster, namespace: string, budget: number): Facts | Promise<Facts> {
  const controller = new AbortController()
  const learned = needs.map(need => ({ need, fact: lookUp(need, cluster, namespace, controller.signal) }))
  return learned.some(({ fact }) => fact instanceof Promise) ? inTime(learned, controller, budget) : factsOf(learned as Learned[])
}

interface Lookup { readonly need: Need, readonly fact: Fact<unknown> | Promise<Fact<unknown>> }

async function inTime (lookups: readonly Lookup[], controller: AbortController, budget: number): Promise<Facts> {
  const late = Promise.withResolvers<Fact<never>>()
  const timer = setTimeout(() => {
    late.resolve(unknown('timed out'))
    controller.abort(new Error('timed out'))
  }, budget)
  const learned = await Promise.all(lookups.map(async ({ need, fact }) => ({ need, fact: await Promise.race([fact, late.promise]) })))
  clearTimeout(timer)
  return factsOf(learned)
}

interface Learned { readonly need: Need, readonly fact: Fact<unknown> }

/** There are only a few, so a search is enough. */
function factsOf (learned: readonly Learned[]): Facts {
  const of = <Value>(kind: Need['kind'], name?: string): Fact<Value> => {
    const found = learned.find(({ need }) => need.kind === kind && ('name' in need ? need.name : undefined) === name)
    if (!found) throw new Error(`a rule reads a fact that it does not list in its needs: ${kind} ${name ?? ''}`)
    return found.fact as Fact<Value>
  }
  return {
    storageClass: name => of('StorageClass', name),
    storageClasses: () => of('StorageClasses'),
    secret: name => of('Secret', name),
    perconaServed: () => of('PerconaCRD'),
    perconaOperator: () => of('PerconaOperator'),
    perconaCluster: name => of('PerconaCluster', name),
  }
}

function lookUp (need: Need, cluster: Cluster, namespace: string, signal: AbortSignal): Fact<unknown> | Promise<Fact<unknown>> {
  switch (need.kind) {
    case 'StorageClass': return cluster.storageClass(need.name, signal)
    case 'StorageClasses': return cluster.storageClasses()
    case 'Secret': return cluster.secret(namespace, need.name, signal)
    case 'PerconaCRD': return cluster.perconaServed(signal)
    case 'PerconaOperator': return cluster.perconaOperator(signal)
    case 'PerconaCluster': return cluster.perconaCluster(namespace, need.name, signal)
  }
}
