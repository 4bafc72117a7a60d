import type { Installation } from './installation.ts'

export interface Metadata {
  readonly name: string
  readonly namespace?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

/** An object as it is written in a manifest. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: Metadata
}

/** When an object is part of an installation: said twice, for TypeScript and for Helm. Tests compare the two. */
export interface Condition {
  readonly holds: (installation: Installation) => boolean
  readonly helm: string
}

/** One object of an installation. */
export interface Part {
  /** Of the file that it stands in, without the extension. */
  readonly file: string
  readonly when?: Condition
  readonly manifest: (installation: Installation) => Manifest
}

export const both = (a: Condition, b: Condition): Condition => ({
  holds: installation => a.holds(installation) && b.holds(installation), helm: `and (${a.helm}) (${b.helm})`,
})

export const reconciles: Condition = { holds: ({ controller }) => controller, helm: '.Values.controller.enabled' }
export const onlyAnswers: Condition = { holds: ({ controller }) => !controller, helm: 'not .Values.controller.enabled' }
export const isNamespaced: Condition = { holds: ({ watchNamespace }) => watchNamespace !== undefined, helm: '.Values.watchNamespace' }
export const isClusterWide: Condition = { holds: ({ watchNamespace }) => watchNamespace === undefined, helm: 'not .Values.watchNamespace' }
export const makesCertificates: Condition = {
  holds: ({ certificates }) => certificates === 'self', helm: 'eq .Values.certificates.mode "self"',
}
export const usesCertManager: Condition = {
  holds: ({ certificates }) => certificates === 'cert-manager', helm: 'eq .Values.certificates.mode "cert-manager"',
}
export const isMonitored: Condition = { holds: ({ monitoring }) => monitoring, helm: '.Values.monitoring.enabled' }
export const hasNetworkPolicy: Condition = { holds: ({ networkPolicy }) => networkPolicy, helm: '.Values.networkPolicy.enabled' }
export const hasReplicas: Condition = { holds: ({ replicas }) => typeof replicas === 'string' || replicas > 1, helm: 'gt (int .Values.replicas) 1' }
