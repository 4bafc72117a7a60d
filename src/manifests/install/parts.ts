import { customResourceDefinition } from '../crd.ts'
import { certManager } from './cert-manager.ts'
import { deployment } from './deployment.ts'
import { hasBudget, hasNetworkPolicy, hasServiceAccount } from './manifest.ts'
import type { Installation } from './installation.ts'
import type { Manifest, Part } from './manifest.ts'
import { monitoring } from './monitoring.ts'
import { namespace } from './namespace.ts'
import { networkPolicy } from './network-policy.ts'
import { podDisruptionBudget } from './pod-disruption-budget.ts'
import { rbac } from './rbac.ts'
import { serviceAccount } from './service-account.ts'
import { serviceOfMetrics, serviceOfWebhook } from './services.ts'
import { userRoles } from './user-roles.ts'
import { webhooks } from './webhook-configurations.ts'

/** All objects of an installation, in the order in which they must be created. */
export const parts: readonly Part[] = [
  { file: 'namespace', manifest: namespace },
  { file: 'crd', manifest: customResourceDefinition },
  { file: 'service-account', manifest: serviceAccount, when: hasServiceAccount },
  ...rbac,
  ...userRoles,
  { file: 'services', manifest: serviceOfWebhook },
  { file: 'services', manifest: serviceOfMetrics },
  { file: 'deployment', manifest: deployment },
  { file: 'pod-disruption-budget', manifest: podDisruptionBudget, when: hasBudget },
  { file: 'network-policy', manifest: networkPolicy, when: hasNetworkPolicy },
  ...webhooks,
  ...certManager,
  ...monitoring,
]

export interface Placed {
  readonly file: string
  readonly manifest: Manifest
}

export const manifestsOf = (installation: Installation): Placed[] => parts
  .filter(({ when }) => when?.holds(installation) ?? true)
  .map(({ file, manifest }) => ({ file, manifest: manifest(installation) }))
