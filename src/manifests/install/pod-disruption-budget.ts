import { labels, name, selector } from './installation.ts'
import type { Installation } from './installation.ts'
import type { Manifest } from './manifest.ts'

export const podDisruptionBudget = ({ namespace, podDisruptionBudget: budget }: Installation): Manifest & { spec: object } => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name, namespace, labels },
  // A pod that is not ready does not provide availability, so it must not block the drain of its node.
  spec: { ...budget, unhealthyPodEvictionPolicy: 'AlwaysAllow', selector: { matchLabels: selector } },
})
