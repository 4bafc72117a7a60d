import type { Installation } from './installation.ts'

export interface Metadata {
  readonly name: string
  readonly namespace?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

/** An object in the form in which it is written to a manifest. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: Metadata
}

/** When an object is part of an installation: as a function, and as a Helm expression. Tests compare the two. */
export interface Condition {
  readonly holds: (installation: Installation) => boolean
  readonly helm: string
}

/** One object of an installation. */
export interface Part {
  /** Name of its file, without the extension. */
  readonly file: string
  readonly when?: Condition
  readonly manifest: (installation: Installation) => Manifest
}

export const both = (a: Condition, b: Condition): Condition => ({
  holds: installation => a.holds(installation) && b.holds(installation), helm: `and (${a.helm}) (${b.helm})`,
})

export const no = (a: Condition): Condition => ({ holds: installation => !a.holds(installation), helm: `not (${a.helm})` })

export const reconciles: Condition = { holds: ({ controller }) => controller, helm: '.Values.controller.enabled' }
export const onlyAnswers: Condition = { holds: ({ controller }) => !controller, helm: 'not .Values.controller.enabled' }
export const isNamespaced: Condition = { holds: ({ watchNamespace }) => watchNamespace !== undefined, helm: '.Values.watchNamespace' }
export const isClusterWide: Condition = { holds: ({ watchNamespace }) => watchNamespace === undefined, helm: 'not .Values.watchNamespace' }
/** A process that only answers reviews always reads Secrets by name. */
export const readsSecretsByName: Condition = both(reconciles, { holds: ({ secretAccess }) => secretAccess === 'get', helm: 'eq .Values.secretAccess "get"' })
export const makesCertificates: Condition = {
  holds: ({ certificates }) => certificates === 'self', helm: 'eq .Values.certificates.mode "self"',
}
export const usesCertManager: Condition = {
  holds: ({ certificates }) => certificates === 'cert-manager', helm: 'eq .Values.certificates.mode "cert-manager"',
}
export const hasIssuer: Condition = { holds: ({ issuerRef }) => issuerRef !== undefined, helm: '.Values.certificates.issuerRef' }
export const isMonitored: Condition = { holds: ({ monitoring }) => monitoring, helm: '.Values.monitoring.enabled' }
export const hasNetworkPolicy: Condition = { holds: ({ networkPolicy }) => networkPolicy, helm: '.Values.networkPolicy.enabled' }
export const hasAlerts: Condition = both(isMonitored, { holds: ({ alerts }) => alerts, helm: '.Values.monitoring.prometheusRule.enabled' })
export const hasDashboard: Condition = both(isMonitored, { holds: ({ dashboard }) => dashboard, helm: '.Values.monitoring.dashboard.enabled' })
export const hasReplicas: Condition = { holds: ({ replicas }) => typeof replicas === 'string' || replicas > 1, helm: 'gt (int .Values.replicaCount) 1' }
export const hasBudget: Condition = both(hasReplicas, {
  holds: ({ podDisruptionBudget }) => podDisruptionBudget !== undefined, helm: '.Values.podDisruptionBudget.enabled',
})
export const hasServiceAccount: Condition = { holds: ({ serviceAccount }) => serviceAccount.create, helm: '.Values.serviceAccount.create' }
export const hasRights: Condition = { holds: ({ rbac }) => rbac, helm: '.Values.rbac.create' }
export const hasUserRoles: Condition = both(hasRights, { holds: ({ userRoles }) => userRoles, helm: '.Values.rbac.userRoles' })
export const isAggregated: Condition = { holds: ({ aggregateRoles }) => aggregateRoles, helm: '.Values.rbac.aggregateClusterRoles' }
export const isOnHostNetwork: Condition = { holds: ({ hostNetwork }) => hostNetwork, helm: '.Values.hostNetwork' }
