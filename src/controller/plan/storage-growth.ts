import { compareQuantities } from '../../dittoserver/quantity.ts'
import { sizeOf, type Claim } from '../../render/claim.ts'
import type { Observation } from '../status.ts'
import { growthOf, type GrowingClaim } from './claim-growth.ts'

export interface GrowthPlan {
  /** Claims whose requested size is too small: name and new size. */
  readonly patches: readonly { readonly claim: string, readonly size: string }[]
  /** The templates of the StatefulSet are outdated: it must be recreated and its pod kept. Only after all claims are patched. */
  readonly replaceStatefulSet: boolean
  /** Templates that the new StatefulSet adds. */
  readonly added: readonly string[]
  /** Templates that were removed, shrunk or given another StorageClass. Existing volumes cannot follow. */
  readonly drift: readonly string[]
  /** Claims whose expansion was requested but is not complete. */
  readonly growing: readonly GrowingClaim[]
}

const grew = (from: string, to: string) => from !== to && (compareQuantities(to, from) ?? 0) > 0

/**
 * The steps that give the volumes the sizes in the spec. They are derived from the existing objects, so that if a process ends at any step,
 * the next process continues: first the claims are patched, then the StatefulSet, whose templates are immutable, is deleted without its pod
 * and recreated. Pure.
 */
export function planGrowth (
  wanted: readonly Claim[], existing: readonly Claim[], claimOf: (template: string) => Claim | undefined,
): GrowthPlan {
  const pairs = wanted.flatMap(template => {
    const before = existing.find(({ metadata }) => metadata.name === template.metadata.name)
    return before ? [{ before, template, claim: claimOf(template.metadata.name) }] : []
  })
  const added = namesMissing(wanted, existing)
  const removed = namesMissing(existing, wanted).map(name => `${name} was removed`)
  const drift = [...removed, ...pairs.flatMap(({ before, template }) => driftOf(before, template))]
  const patches = pairs.flatMap(({ template, claim }) =>
    claim && grew(sizeOf(claim), sizeOf(template)) ? [{ claim: claim.metadata.name, size: sizeOf(template) }] : [])
  const growing = pairs.flatMap(({ claim }) => growthOf(claim) ?? [])
  const behind = added.length > 0 || pairs.some(({ before, template }) => grew(sizeOf(before), sizeOf(template)))
  return { patches, added, drift, growing, replaceStatefulSet: behind && patches.length === 0 && drift.length === 0 }
}

const namesMissing = (claims: readonly Claim[], others: readonly Claim[]): string[] =>
  claims.map(({ metadata: { name } }) => name).filter(name => !others.some(({ metadata }) => metadata.name === name))

function driftOf (before: Claim, template: Claim): string[] {
  const { name } = template.metadata
  return [
    ...(grew(sizeOf(template), sizeOf(before)) ? [`${name} shrank from ${sizeOf(before)} to ${sizeOf(template)}`] : []),
    ...(before.spec?.storageClassName !== template.spec?.storageClassName ? [`${name} changed its StorageClass`] : []),
  ]
}

/** The condition `StorageReady`. */
export function storageObservation ({ drift, growing, patches, added, replaceStatefulSet }: GrowthPlan, refused?: string): Observation {
  if (refused !== undefined) return { status: 'False', reason: 'ExpansionRefused', message: `A volume cannot grow: ${refused}` }
  if (drift.length > 0) {
    return { status: 'False', reason: 'StorageDrift', message: `Existing volumes cannot be changed to match the spec: ${drift.join('; ')}. Create a second DittoServer, or restore the old values.` }
  }
  if (added.length > 0) return { status: 'True', reason: 'Expanding', message: `The StatefulSet is being replaced to add ${added.join(', ')}.` }
  if (patches.length > 0 || replaceStatefulSet) return { status: 'True', reason: 'Expanding', message: 'The volumes are being expanded.' }
  if (growing.length > 0) {
    const message = growing.map(each => each.message).join(' ')
    return growing.some(({ failed }) => failed) ? { status: 'False', reason: 'ExpansionFailed', message } : { status: 'True', reason: 'Expanding', message }
  }
  return { status: 'True', reason: 'StorageReady', message: 'The volumes have the sizes in the spec.' }
}
