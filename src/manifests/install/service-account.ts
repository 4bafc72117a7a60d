import { labels } from './installation.ts'
import type { Installation } from './installation.ts'
import type { Manifest } from './manifest.ts'

type ServiceAccount = Manifest & { automountServiceAccountToken: boolean }

export const serviceAccount = (installation: Installation): ServiceAccount => {
  const { namespace, serviceAccount: { name }, serviceAccountAnnotations: annotations } = installation
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name, namespace, labels, ...(annotations === undefined ? {} : { annotations }) },
    // Only the Deployment requests the token.
    automountServiceAccountToken: false,
  }
}
