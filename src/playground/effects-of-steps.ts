import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { present, type Observed } from '../controller/observed.ts'
import type { Step } from '../controller/step.ts'
import { sameJson } from '../dittoserver/comparison.ts'
import { differingPaths } from '../diff/differing-paths.ts'
import { sizeOf, type Claim } from '../render/claim.ts'
import { childNames } from '../render/names.ts'
import { configHashAnnotation } from '../render/stateful-set.ts'
import type { EffectStep } from './contract.ts'
import type { Rehearsed } from './rehearsal.ts'

/** What the steps of the reconcile loop mean for the one who runs the server. Pure. */
export function effectsOf (running: Observed, { observed, steps, stop }: Rehearsed): EffectStep[] {
  const refused = stop?.why === 'refused'
    ? [{ effect: 'refuse', what: 'DittoServer', detail: stop.observation.message } as const]
    : stop?.why === 'failed' ? [{ effect: 'refuse', what: 'DittoServer', detail: stop.message } as const] : []
  return [...refused, ...podEffect(running, observed, steps), ...growths(running, steps), ...objectEffects(running, steps)]
}

interface StatefulSetSpec { readonly replicas?: number, readonly template?: unknown }
const specOf = (object: KubernetesObject | undefined) => (object?.spec ?? {}) as StatefulSetSpec

function podEffect (running: Observed, observed: Observed, steps: readonly Step[]): EffectStep[] {
  const name = childNames(running.server.metadata.name).statefulSet
  const [before, after] = [present(running, 'StatefulSet', name), present(observed, 'StatefulSet', name)]
  if (!before || !after) return []
  const what = `Pod ${name}-0`
  const [from, to] = [specOf(before), specOf(after)]
  if (from.replicas !== to.replicas) return [{ effect: to.replicas === 0 ? 'stop' : 'start', what, detail: `replicas ${from.replicas ?? 1} → ${to.replicas ?? 1}` }]
  if (to.replicas === 0) return []
  if (!sameJson(from.template, to.template)) return [{ effect: 'restart', what, detail: reasons(from.template, to.template) }]
  const isStopped = steps.some(step => step.do === 'patch' && step.kind === 'StatefulSet' && (step.patch as { spec?: StatefulSetSpec }).spec?.replicas === 0)
  return isStopped ? [{ effect: 'restart', what, detail: 'It stops while its StatefulSet is replaced.' }] : []
}

/** The configuration has one hash, which says nothing to a reader. */
function reasons (before: unknown, after: unknown): string {
  const paths = differingPaths(before, after)
  const named = paths.filter(path => !path.includes(configHashAnnotation)).map(path => path.replace(/^spec\.containers\[\w+\]\./, '').replace(/^spec\.|^metadata\./, ''))
  const all = [...new Set([...named, ...(paths.length > named.length ? ['config.yaml, or a Secret that the server reads'] : [])])]
  return `Changed in the pod: ${listed(all)}.`
}

const mostListed = 5

const listed = (all: readonly string[]) =>
  `${all.slice(0, mostListed).join(', ')}${all.length > mostListed ? `, and ${all.length - mostListed} more` : ''}`

function growths (running: Observed, steps: readonly Step[]): EffectStep[] {
  return steps.filter(step => step.do === 'patch' && step.kind === 'PersistentVolumeClaim').map(step => {
    const from = sizeOf(present(running, 'PersistentVolumeClaim', step.name) as unknown as Claim | undefined)
    const to = sizeOf((step as { patch: unknown }).patch as Claim)
    return { effect: 'grow', what: `PersistentVolumeClaim ${step.name}`, detail: `${from} → ${to}` }
  })
}

const verbs = { create: 'create', apply: 'update', patch: 'update', delete: 'delete' } as const

function objectEffects (running: Observed, steps: readonly Step[]): EffectStep[] {
  const effects = new Map<string, EffectStep>()
  for (const step of steps) {
    if (step.do === 'rehearse' || step.kind === 'PersistentVolumeClaim' || step.kind === 'DittoServer') continue
    const what = `${step.kind} ${step.name}`
    const deleted = effects.get(what)?.effect === 'delete' && step.do === 'create'
    effects.set(what, deleted ? { effect: 'replace', what, detail: replacement(step) } : { effect: verbs[step.do], what, detail: detailOf(running, step) })
  }
  return [...effects.values()]
}

const replacement = ({ kind }: Step) => kind === 'StatefulSet'
  ? 'It is replaced around its pod and its volumes, because its claim templates are immutable.'
  : 'An update cannot change one of its fields.'

function detailOf (running: Observed, step: Step): string {
  if (step.do === 'delete') return 'It is not needed any more.'
  if (step.do === 'create') return ''
  const before = present(running, step.kind, step.name)
  if (step.do !== 'apply' || !before || step.kind === 'Secret') return ''
  const { metadata: _, status: __, ...old } = before
  const { metadata: ___, ...now } = step.object
  const paths = differingPaths(old, now).filter(path => !path.includes(configHashAnnotation))
  return paths.length === 0 ? '' : `Changed: ${listed(paths)}.`
}
