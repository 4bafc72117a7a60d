import { compareQuantities } from '../dittoserver/quantity.ts'
import { sizeOf, type Claim } from '../render/claim.ts'
import type { Observation } from './status.ts'

export interface GrowthPlan {
  /** Claims whose request is smaller than wanted: name and size. */
  readonly patches: readonly { readonly claim: string, readonly size: string }[]
  /** The templates of the StatefulSet are behind: it must be replaced, its pod kept. Only once no claim is left to patch. */
  readonly replaceStatefulSet: boolean
  /** Templates that were added, removed or made smaller, which no StatefulSet can follow. */
  readonly drift: readonly string[]
  /** Claims that have been asked to grow and have not yet. */
  readonly growing: readonly string[]
}

const grew = (from: string, to: string) => (compareQuantities(to, from) ?? 0) > 0

/**
 * What is to be done for the volumes to have the sizes that are wanted. Worked out from what is there, so that a process
 * that ends at any step is simply followed by one that does the rest: claims first, then the StatefulSet, whose templates
 * are immutable, is deleted without its pod and made anew. Pure.
 */
export function planGrowth (
  wanted: readonly Claim[], existing: readonly Claim[], claimOf: (template: string) => Claim | undefined,
): GrowthPlan {
  const pairs = wanted.flatMap(template => {
    const before = existing.find(({ metadata }) => metadata.name === template.metadata.name)
    return before ? [{ before, template, claim: claimOf(template.metadata.name) }] : []
  })
  const drift = [...addedOrRemoved(wanted, existing), ...pairs.flatMap(({ before, template }) => driftOf(before, template))]
  const patches = pairs.flatMap(({ template, claim }) =>
    claim && grew(sizeOf(claim), sizeOf(template)) ? [{ claim: claim.metadata.name, size: sizeOf(template) }] : [])
  const growing = pairs.flatMap(({ claim }) => claim && isGrowing(claim) ? [claim.metadata.name] : [])
  const behind = pairs.some(({ before, template }) => grew(sizeOf(before), sizeOf(template)))
  return { patches, drift, growing, replaceStatefulSet: behind && patches.length === 0 && drift.length === 0 }
}

function addedOrRemoved (wanted: readonly Claim[], existing: readonly Claim[]): string[] {
  const missingFrom = (others: readonly Claim[]) => ({ metadata: { name } }: Claim) =>
    !others.some(({ metadata }) => metadata.name === name)
  return [
    ...wanted.filter(missingFrom(existing)).map(({ metadata: { name } }) => `${name} was added`),
    ...existing.filter(missingFrom(wanted)).map(({ metadata: { name } }) => `${name} was removed`),
  ]
}

function driftOf (before: Claim, template: Claim): string[] {
  const { name } = template.metadata
  return [
    ...(grew(sizeOf(template), sizeOf(before)) ? [`${name} shrank from ${sizeOf(before)} to ${sizeOf(template)}`] : []),
    ...(before.spec?.storageClassName !== template.spec?.storageClassName ? [`${name} changed its StorageClass`] : []),
  ]
}

const isGrowing = (claim: Claim) => {
  const capacity = claim.status?.capacity?.storage
  return capacity !== undefined && grew(capacity, sizeOf(claim))
}

/** How the volumes are, as a condition. */
export function storageObservation ({ drift, growing, patches, replaceStatefulSet }: GrowthPlan, refused?: string): Observation {
  if (refused !== undefined) return { status: 'False', reason: 'ExpansionRefused', message: `A volume cannot grow: ${refused}` }
  if (drift.length > 0) {
    return { status: 'False', reason: 'StorageDrift', message: `Volumes that exist cannot follow: ${drift.join('; ')}. Create a second DittoServer, or set the old values.` }
  }
  if (patches.length > 0 || replaceStatefulSet) return { status: 'False', reason: 'Expanding', message: 'The volumes are being made larger.' }
  if (growing.length > 0) return { status: 'False', reason: 'Expanding', message: `Waiting for ${growing.join(', ')} to grow.` }
  return { status: 'True', reason: 'StorageReady', message: 'The volumes have the sizes of the spec.' }
}
