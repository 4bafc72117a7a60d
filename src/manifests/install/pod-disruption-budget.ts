import { labels, name, selector } from './installation.ts'
import type { Installation } from './installation.ts'
import type { Manifest } from './manifest.ts'

export const podDisruptionBudget = ({ namespace, minAvailable }: Installation): Manifest & { spec: object } => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name, namespace, labels },
  // A pod that is not ready protects nobody, and must not hold up the drain of its node.
  spec: { minAvailable, unhealthyPodEvictionPolicy: 'AlwaysAllow', selector: { matchLabels: selector } },
})
