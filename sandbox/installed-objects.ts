import { defaultInstallation } from '../src/manifests/install/installation.ts'
import { manifestsOf } from '../src/manifests/install/parts.ts'
import { onLoopback, type Configuration } from '../test/control-plane/loopback-webhooks.ts'
import { folderClass } from '../test/node/provisioner.ts'

/** The operator is a process of this machine: no pod of it, and nothing that protects or reaches its pods. */
const ofItsPods: ReadonlySet<string> = new Set(['Deployment', 'Service', 'PodDisruptionBudget', 'NetworkPolicy'])

/**
 * The objects of the default installation, in their order, for an operator whose webhook listens on a port of this machine; and the
 * default StorageClass.
 */
export const installedObjects = (webhookPort: number): object[] => [
  ...manifestsOf(defaultInstallation).map(({ manifest }) => manifest)
    .filter(({ kind }) => !ofItsPods.has(kind))
    .map(manifest => manifest.kind.endsWith('WebhookConfiguration') ? onLoopback(manifest as unknown as Configuration, webhookPort) : manifest),
  folderClass('folders', { isDefault: true }),
]
