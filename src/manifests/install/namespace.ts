import { labels } from './installation.ts'
import type { Installation } from './installation.ts'
import type { Manifest } from './manifest.ts'

/** https://kubernetes.io/docs/concepts/security/pod-security-standards/ */
const levels = Object.fromEntries(['enforce', 'audit', 'warn'].map(mode => [`pod-security.kubernetes.io/${mode}`, 'restricted']))

/** Not part of the chart: the namespace of a release exists before its objects. */
export const namespace = (installation: Installation): Manifest => ({
  apiVersion: 'v1', kind: 'Namespace', metadata: { name: installation.namespace, labels: { ...labels, ...levels } },
})
