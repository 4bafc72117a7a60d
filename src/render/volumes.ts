import { effectiveBackend } from '../dittoserver/database.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import type { DittoServerSpec } from '../dittoserver/schema.ts'
import { canonicalQuantity } from './canonical.ts'
import type { Claim } from './claim.ts'
import { childNames } from './names.ts'

interface Volume { readonly name: string, readonly mountPath: string, readonly size: (spec: DittoServerSpec) => string | undefined }

/** All possible volumes of a server, with mount path, and size if the volume exists. */
const volumes: readonly Volume[] = [
  { name: 'metadata', mountPath: '/data/metadata', size: ({ storage }) => storage.metadataSize },
  { name: 'content', mountPath: '/data/content', size: ({ storage }) => storage.contentSize || undefined },
  // Contains the write-ahead log: an emptyDir would lose the data that a crash leaves in it.
  { name: 'cache', mountPath: '/data/cache', size: ({ storage }) => storage.cacheSize },
  {
    name: 'controlplane',
    mountPath: '/data/controlplane',
    size: spec => effectiveBackend(spec) === 'sqlite' ? spec.storage.controlPlaneSize : undefined,
  },
]

export function claimTemplates ({ spec }: DittoServer): Claim[] {
  const { storageClassName } = spec.storage
  return volumes.flatMap(({ name, size }) => {
    const storage = size(spec)
    return storage === undefined
      ? []
      : [{
          metadata: { name },
          spec: {
            accessModes: ['ReadWriteOnce'],
            ...(storageClassName === undefined ? {} : { storageClassName }),
            resources: { requests: { storage: canonicalQuantity(storage) } },
          },
        }]
  })
}

/** Name of the claim that the StatefulSet controller creates from a template. */
export const claimName = (template: string, server: string) => `${template}-${server}-0`

/** Names of all possible claims of a server. */
export const claimNames = (server: string): string[] => volumes.map(({ name }) => claimName(name, server))

/** The mounts match the templates that the pod really has. */
export const volumeMounts = (templates: readonly Claim[]) => [
  ...volumes
    .filter(({ name }) => templates.some(({ metadata }) => metadata.name === name))
    .map(({ name, mountPath }) => ({ name, mountPath })),
  { name: 'config', mountPath: '/config' },
]

export const podVolumes = ({ metadata: { name } }: DittoServer) => [{ name: 'config', configMap: { name: childNames(name).configMap } }]
