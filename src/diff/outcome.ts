import { isDeepStrictEqual } from 'node:util'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { immutableDifferences } from '../controller/plan/immutable-fields.ts'
import { isOutdated } from '../controller/plan/stateful-set.ts'
import { planGrowth } from '../controller/plan/storage-growth.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import { sizeOf, type Claim } from '../render/claim.ts'
import { templatesOf } from '../render/inputs.ts'
import { claimTemplates } from '../render/volumes.ts'
import { differingPaths } from './differing-paths.ts'

// What an edit of a server does to its StatefulSet, its pod and its volumes: derived with the functions of the reconcile loop. Pure.

export interface Growth { readonly claim: string, readonly from: string, readonly to: string }

export interface Outcome {
  readonly pod: 'unchanged' | 'starts' | 'restarts' | 'stops'
  /** The paths in the pod template that differ, if the pod restarts. */
  readonly causes: readonly string[]
  readonly statefulSet: 'unchanged' | 'created' | 'updated' | 'replaced'
  /** The fields that only a new StatefulSet can have. */
  readonly replacedFor: readonly string[]
  readonly grows: readonly Growth[]
  /** What the spec asks for and existing objects cannot follow. */
  readonly kept: readonly string[]
}

export interface VolumePlan {
  readonly grows: readonly Growth[]
  readonly replacedFor: readonly string[]
  readonly kept: readonly string[]
}

/** How the volumes reach a spec. `current`: the existing StatefulSet. `wanted`: the rendered one. */
export function volumePlan (
  server: DittoServer, current: KubernetesObject, wanted: KubernetesObject, claimOf: (template: string) => Claim | undefined,
): VolumePlan {
  const templates = claimTemplates(server)
  const existing = templatesOf(current) ?? templates
  const claims = templates.flatMap(({ metadata }) => claimOf(metadata.name) ?? [])
  const { patches, drift } = planGrowth(templates, existing, claimOf)
  const sizes = new Map(patches.map(({ claim, size }) => [claim, size]))
  // The StatefulSet is replaced once all claims have the sizes of the templates.
  const after = planGrowth(templates, existing, template => withSize(claimOf(template), sizes))
  const grown = templates.filter(({ metadata: { name }, spec }) =>
    existing.some(({ metadata, spec: before }) => metadata.name === name && !isDeepStrictEqual(before?.resources, spec?.resources)))
  return {
    grows: patches.map(({ claim, size }) => ({ claim, from: sizeOf(claims.find(({ metadata }) => metadata.name === claim)), to: size })),
    replacedFor: isOutdated(current, wanted, after)
      ? [
          ...after.added.map(name => `the volume ${name} is added`),
          ...grown.map(({ metadata: { name }, spec }) => `the volume ${name} has ${spec?.resources?.requests?.storage ?? ''}`),
          ...immutableDifferences(current, wanted),
        ]
      : [],
    kept: drift,
  }
}

function withSize (claim: Claim | undefined, sizes: ReadonlyMap<string, string>): Claim | undefined {
  const storage = claim && sizes.get(claim.metadata.name)
  return claim && storage !== undefined ? { ...claim, spec: { ...claim.spec, resources: { requests: { storage } } } } : claim
}

interface StatefulSetSpec { readonly replicas?: number, readonly template?: unknown }
const specOf = (object: KubernetesObject | undefined) => (object?.spec ?? {}) as StatefulSetSpec

/** `before` and `after`: the rendered StatefulSets; undefined before the server exists. */
export function outcomeOf (before: KubernetesObject | undefined, after: KubernetesObject, volumes: VolumePlan): Outcome {
  const { grows, replacedFor, kept } = volumes
  const [was, will] = [before ? specOf(before).replicas ?? 1 : 0, specOf(after).replicas ?? 1]
  const causes = was > 0 && will > 0 ? differingPaths(specOf(before).template, specOf(after).template) : []
  return {
    pod: was === 0 ? will === 0 ? 'unchanged' : 'starts' : will === 0 ? 'stops' : causes.length > 0 ? 'restarts' : 'unchanged',
    causes,
    statefulSet: !before ? 'created' : replacedFor.length > 0 ? 'replaced' : isDeepStrictEqual(before, after) ? 'unchanged' : 'updated',
    replacedFor,
    grows,
    kept,
  }
}
