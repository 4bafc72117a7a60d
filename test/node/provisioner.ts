import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { hasStatus } from '../../src/cluster/api-error.ts'
import { follow } from './api.ts'
import { MountError } from './volumes.ts'
import type { ApiClient } from '../../src/cluster/api-client.ts'
import type { Metadata } from './pod.ts'

/** The name of the driver, in classes and in volumes. */
export const provisioner = 'folders.test'

export interface Claim {
  readonly metadata: Metadata
  readonly spec: {
    readonly accessModes?: readonly string[]
    readonly volumeMode?: string
    readonly storageClassName?: string
    readonly volumeName?: string
    readonly resources: { readonly requests: { readonly storage: string } }
  }
  readonly status?: {
    readonly phase?: string
    readonly capacity?: { readonly storage?: string }
    readonly conditions?: readonly { readonly type: string, readonly status: string, readonly message?: string }[]
    readonly allocatedResources?: { readonly storage?: string }
    readonly allocatedResourceStatuses?: { readonly storage?: string }
  }
}

export interface PersistentVolume {
  readonly metadata: Metadata
  readonly spec: {
    readonly capacity: { readonly storage: string }
    readonly csi?: { readonly driver: string, readonly volumeHandle: string }
    readonly claimRef?: { readonly namespace: string, readonly name: string, readonly uid: string }
    readonly persistentVolumeReclaimPolicy?: string
  }
  readonly status?: { readonly phase?: string }
}

interface StorageClass {
  readonly metadata: Metadata
  readonly provisioner: string
  readonly reclaimPolicy?: string
  readonly volumeBindingMode?: string
}

/** A StorageClass whose volumes are folders. */
export const folderClass = (name: string, { isDefault = false, waitForPod = false, expandable = true, reclaimPolicy = 'Delete' } = {}) => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name, annotations: { 'storageclass.kubernetes.io/is-default-class': String(isDefault) } },
  provisioner,
  reclaimPolicy,
  allowVolumeExpansion: expandable,
  volumeBindingMode: waitForPod ? 'WaitForFirstConsumer' : 'Immediate',
})

export const claimPath = ({ namespace, name }: Pick<Metadata, 'namespace' | 'name'>) => `/api/v1/namespaces/${namespace}/persistentvolumeclaims/${name}`
export const volumePath = (name: string) => `/api/v1/persistentvolumes/${name}`

export interface ProvisionerOptions {
  readonly client: ApiClient
  /** Each volume is a folder in it. */
  readonly folder: string
  readonly signal: AbortSignal
  /** A claim or a volume changed. */
  readonly onChange: (claim: Claim) => void
  readonly onError: (error: unknown) => void
}

/**
 * Acts like the sidecar external-provisioner of a driver: creates a PersistentVolume for each claim of its classes, which the controller
 * manager binds, and deletes it when it is released. Sizes are not enforced.
 */
export class Provisioner {
  readonly #options: ProvisionerOptions
  readonly #classes = new Map<string, StorageClass>()
  readonly #claims = new Map<string, Claim>()
  readonly #volumes = new Map<string, PersistentVolume>()
  readonly following: Promise<unknown>

  constructor (options: ProvisionerOptions) {
    this.#options = options
    const { client, signal } = options
    this.following = Promise.all([
      follow<StorageClass>({
        client,
        signal,
        path: '/apis/storage.k8s.io/v1/storageclasses',
        onChange: found => {
          this.#classes.set(found.metadata.name, found)
          for (const claim of this.#claims.values()) this.#provision(claim)
        },
        onDelete: ({ metadata }) => { this.#classes.delete(metadata.name) },
      }),
      follow<Claim>({
        client,
        signal,
        path: '/api/v1/persistentvolumeclaims',
        onChange: found => {
          this.#claims.set(key(found.metadata), found)
          this.#provision(found)
          options.onChange(found)
        },
        onDelete: ({ metadata }) => { this.#claims.delete(key(metadata)) },
      }),
      follow<PersistentVolume>({
        client,
        signal,
        path: '/api/v1/persistentvolumes',
        onChange: found => {
          this.#volumes.set(found.metadata.name, found)
          this.#release(found)
          const { claimRef } = found.spec
          const claim = claimRef && this.claim(claimRef.namespace, claimRef.name)
          if (claim) options.onChange(claim)
        },
        onDelete: ({ metadata }) => { this.#volumes.delete(metadata.name) },
      }),
    ])
  }

  claim (namespace: string, name: string): Claim | undefined {
    return this.#claims.get(key({ namespace, name }))
  }

  /** The volume of a claim that is bound to one of our volumes. */
  volumeOf ({ spec }: Claim): PersistentVolume | undefined {
    const volume = this.#volumes.get(spec.volumeName ?? '')
    return volume?.spec.csi?.driver === provisioner ? volume : undefined
  }

  /** @throws MountError while the claim is not bound to one of our volumes */
  folderOf (namespace: string, name: string): string {
    const claim = this.claim(namespace, name)
    const volume = claim && this.volumeOf(claim)
    const handle = volume?.spec.csi?.volumeHandle
    if (handle === undefined) throw new MountError(`the claim ${namespace}/${name} has no volume of ${provisioner}`)
    return join(this.#options.folder, handle)
  }

  #provision (claim: Claim): void {
    const { metadata, spec, status } = claim
    const found = this.#classes.get(spec.storageClassName ?? '')
    if (found?.provisioner !== provisioner || spec.volumeName !== undefined || status?.phase === 'Bound' || metadata.deletionTimestamp) return
    // The scheduler chooses the node first, and then asks by this annotation.
    if (found.volumeBindingMode === 'WaitForFirstConsumer' && !metadata.annotations?.['volume.kubernetes.io/selected-node']) return
    this.#create(claim, found).catch(this.#options.onError)
  }

  async #create ({ metadata, spec }: Claim, { metadata: { name: storageClassName }, reclaimPolicy = 'Delete' }: StorageClass): Promise<void> {
    const { client, folder } = this.#options
    const name = `pvc-${metadata.uid}`
    if (this.#volumes.has(name)) return
    await mkdir(join(folder, name), { recursive: true })
    const volume = {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name, annotations: { 'pv.kubernetes.io/provisioned-by': provisioner } },
      spec: {
        capacity: { storage: spec.resources.requests.storage },
        accessModes: spec.accessModes,
        volumeMode: spec.volumeMode,
        storageClassName,
        persistentVolumeReclaimPolicy: reclaimPolicy,
        claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: metadata.namespace, name: metadata.name, uid: metadata.uid },
        csi: { driver: provisioner, volumeHandle: name },
      },
    }
    await client.request({ verb: 'create', method: 'POST', path: '/api/v1/persistentvolumes', body: volume }).catch((error: unknown) => {
      if (!hasStatus(error, 409)) throw error
    })
  }

  #release ({ metadata, spec: { csi, persistentVolumeReclaimPolicy: policy }, status }: PersistentVolume): void {
    if (csi?.driver !== provisioner || status?.phase !== 'Released' || policy !== 'Delete' || metadata.deletionTimestamp) return
    this.#delete(metadata.name, csi.volumeHandle).catch(this.#options.onError)
  }

  async #delete (name: string, handle: string): Promise<void> {
    await rm(join(this.#options.folder, handle), { recursive: true, force: true })
    await this.#options.client.request({ verb: 'delete', method: 'DELETE', path: volumePath(name) }).catch((error: unknown) => {
      if (!hasStatus(error, 404)) throw error
    })
  }
}

const key = ({ namespace, name }: Pick<Metadata, 'namespace' | 'name'>) => `${namespace}/${name}`
