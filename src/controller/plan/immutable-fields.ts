import { isDeepStrictEqual } from 'node:util'
import type { KubernetesObject } from '../../cluster/kubernetes-object.ts'
import { isObject } from '../../dittoserver/structural.ts'

type Json = Readonly<Record<string, unknown>>

/**
 * Fields that we render and that are immutable on an existing StatefulSet. Claim templates are not included: existing templates are sent
 * back unchanged (see `templatesOf`), and storage-growth.ts decides about changes of them.
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/stateful-set-v1/#StatefulSetSpec
 */
const ofStatefulSet = ['serviceName', 'podManagementPolicy', 'selector'] as const

const specOf = ({ spec }: KubernetesObject) => (spec ?? {}) as Json
const isHeadless = (object: KubernetesObject) => specOf(object).clusterIP === 'None'

/** By kind: the immutable fields in which an existing object differs from the rendered one. */
const differences: Readonly<Record<string, (live: KubernetesObject, wanted: KubernetesObject) => string[]>> = {
  StatefulSet: (live, wanted) => {
    const [before, after] = [specOf(live), specOf(wanted)]
    return ofStatefulSet.filter(field => field in after && !isDeepStrictEqual(before[field], after[field])).map(field => `spec.${field}`)
  },
  // Whether a Service has an address cannot change; only an ExternalName Service may have neither.
  Service: (live, wanted) => specOf(live).type !== 'ExternalName' && isHeadless(live) !== isHeadless(wanted) ? ['spec.clusterIP'] : [],
  ConfigMap: (live, wanted) => live.immutable === true && !isDeepStrictEqual(live.data, wanted.data) ? ['data'] : [],
  Secret: (live, wanted) => [
    ...((live.type ?? 'Opaque') === (wanted.type ?? 'Opaque') ? [] : ['type']),
    ...(live.immutable === true && !isDeepStrictEqual(live.data, wanted.data) ? ['data'] : []),
  ],
}

/** Paths of the immutable fields in which an existing object differs from the rendered one: the object must be recreated. Pure. */
export const immutableDifferences = (live: KubernetesObject, wanted: KubernetesObject): string[] =>
  differences[wanted.kind]?.(live, wanted) ?? []

/**
 * The rendered StatefulSet with the existing values of these fields, so that the API server accepts the update. Its pods keep the labels by
 * which the existing StatefulSet selects them. Pure.
 */
export function asFarAsMutable (live: KubernetesObject, wanted: KubernetesObject): KubernetesObject {
  const kept = ofStatefulSet.filter(field => field in specOf(live)).map(field => [field, specOf(live)[field]] as const)
  const { selector } = specOf(live) as { selector?: { matchLabels?: Json } }
  const { template } = specOf(wanted) as { template?: { metadata?: Json } }
  const labels = { ...isObject(template?.metadata?.labels) ? template.metadata.labels : {}, ...selector?.matchLabels }
  return {
    ...wanted,
    spec: {
      ...specOf(wanted),
      ...Object.fromEntries(kept),
      ...(template ? { template: { ...template, metadata: { ...template.metadata, labels } } } : {}),
    },
  }
}
