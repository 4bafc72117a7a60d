import { labels, name } from './installation.ts'
import type { Installation } from './installation.ts'
import type { Manifest } from './manifest.ts'

export const serviceAccount = ({ namespace }: Installation): Manifest & { automountServiceAccountToken: boolean } => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name, namespace, labels },
  // Only the Deployment asks for the token.
  automountServiceAccountToken: false,
})
