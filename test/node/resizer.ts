import { setTimeout as delay } from 'node:timers/promises'
import { hasStatus } from '../../src/cluster/api-error.ts'
import { mergePatchRequest } from '../../src/cluster/api-requests.ts'
import { compareQuantities } from '../../src/dittoserver/quantity.ts'
import { claimPath, volumePath } from './provisioner.ts'
import type { ApiClient } from '../../src/cluster/api-client.ts'
import type { Claim, PersistentVolume } from './provisioner.ts'

/**
 * The writes when a claim grows, in this order. The first three are those of the sidecar external-resizer, the last two those of the
 * kubelet. https://kubernetes.io/docs/concepts/storage/persistent-volumes/#expanding-persistent-volumes-claims
 */
export const resizeSteps = ['Resizing', 'VolumeCapacity', 'FileSystemResizePending', 'NodeResizeInProgress', 'Finished'] as const
export type ResizeStep = typeof resizeSteps[number]

/** The driver refuses the size: before `VolumeCapacity` that of the volume, before `Finished` that of the file system. */
export class Infeasible extends Error {}

export interface ResizerOptions {
  readonly client: ApiClient
  readonly volumeOf: (claim: Claim) => PersistentVolume | undefined
  /** Whether a pod of this node has mounted it: only then its file system can grow. */
  readonly isMounted: (claim: Claim) => boolean
  /** Awaited before each step: a test holds it up here, or throws Infeasible. */
  readonly before: (step: ResizeStep, claim: string) => Promise<void>
  /** Milliseconds before a growth that failed on the node is tried again. */
  readonly retry: number
  readonly signal: AbortSignal
  readonly onError: (error: unknown) => void
}

const isLarger = (size: string, than = '0') => (compareQuantities(size, than) ?? 0) > 0

/** Conditions about the growth; other conditions of the claim are kept. */
const resizeConditions = new Set(['Resizing', 'FileSystemResizePending', 'ControllerResizeError', 'NodeResizeError'])

interface Condition { readonly type: string, readonly message?: string }

/** The next expansion, and its size. */
interface Work { readonly part: 'nothing' | 'volume' | 'file system', readonly size: string, readonly failedBefore: boolean }

/** Whose turn it is. Growth that has begun is finished before the next begins. Pure. */
function workOf ({ spec: { resources: { requests: { storage: requested } } }, status = {} }: Claim): Work {
  const size = status.allocatedResources?.storage ?? requested
  const failedBefore = false
  switch (status.allocatedResourceStatuses?.storage ?? '') {
    case 'NodeResizePending':
    case 'NodeResizeInProgress':
      return { part: 'file system', size, failedBefore }
    case 'ControllerResizeInProgress':
      return { part: 'volume', size, failedBefore }
    case 'NodeResizeInfeasible':
      return { part: 'volume', size, failedBefore: true }
    case 'ControllerResizeInfeasible':
      return { part: size === requested ? 'nothing' : 'volume', size: requested, failedBefore }
    default:
      return { part: isLarger(requested, status.capacity?.storage) ? 'volume' : 'nothing', size: requested, failedBefore }
  }
}

/** Grows claims and their volumes, with the steps and conditions of a CSI driver that has both a controller's and a node's part. */
export class Resizer {
  readonly #options: ResizerOptions
  /** The last known state of each claim, and whether a pass is processing it. */
  readonly #latest = new Map<string, Claim>()
  readonly #busy = new Set<string>()

  constructor (options: ResizerOptions) {
    this.#options = options
  }

  /** The claim, its volume or the pods that mount it changed. */
  changed (found: Claim): void {
    const { uid } = found.metadata
    const claim = this.#latestOf(found)
    if (this.#busy.has(uid)) return
    this.#busy.add(uid)
    this.#pass(uid).catch((error: unknown) => {
      // Another write came first: its event has started the next pass, or will.
      if (!hasStatus(error, 409) && !hasStatus(error, 404)) this.#options.onError(error)
    }).finally(() => {
      this.#busy.delete(uid)
      const latest = this.#latest.get(uid)
      if (latest && latest.metadata.resourceVersion !== claim.metadata.resourceVersion) this.changed(latest)
    })
  }

  /** A watch reports our own writes later than their replies do. What it reports then is older, and would repeat a step. */
  #latestOf (found: Claim): Claim {
    const { uid, resourceVersion } = found.metadata
    const known = this.#latest.get(uid)
    if (known && BigInt(known.metadata.resourceVersion ?? 0) > BigInt(resourceVersion ?? 0)) return known
    this.#latest.set(uid, found)
    return found
  }

  async #pass (uid: string): Promise<void> {
    const claim = this.#latest.get(uid)
    const volume = claim && this.#options.volumeOf(claim)
    if (!claim || !volume || claim.status?.phase !== 'Bound' || claim.metadata.deletionTimestamp) return
    const { part, size, failedBefore } = workOf(claim)
    if (failedBefore) await delay(this.#options.retry, undefined, { signal: this.#options.signal })
    if (part === 'volume') await this.#growVolume(claim, volume, size)
    if (part === 'file system') await this.#growOnNode(claim, volume)
  }

  async #growVolume (claim: Claim, volume: PersistentVolume, size: string): Promise<void> {
    const { client, before } = this.#options
    const { name } = claim.metadata
    await before('Resizing', name)
    const allocated = { allocatedResources: { storage: size } }
    const marked = await this.#patchStatus(claim, 'ControllerResizeInProgress', [{ type: 'Resizing' }], allocated)
    try {
      await before('VolumeCapacity', name)
    } catch (error) {
      if (!(error instanceof Infeasible)) throw error
      const message = `failed to expand pvc with ${error.message}`
      await this.#patchStatus(marked, 'ControllerResizeInfeasible', [{ type: 'Resizing' }, { type: 'ControllerResizeError', message }])
      return
    }
    const annotations = { 'volume.alpha.kubernetes.io/pre-resize-capacity': claim.status?.capacity?.storage }
    await client.request(mergePatchRequest(volumePath(volume.metadata.name), {
      metadata: { annotations }, spec: { capacity: { storage: size } },
    }, 'folder-driver'))
    await before('FileSystemResizePending', name)
    const message = 'Waiting for user to (re-)start a pod to finish file system resize of volume on node.'
    await this.#patchStatus(marked, 'NodeResizePending', [{ type: 'FileSystemResizePending', message }])
  }

  async #growOnNode (claim: Claim, volume: PersistentVolume): Promise<void> {
    const { client, before, isMounted } = this.#options
    const { metadata: { name }, status } = claim
    if (!isMounted(claim)) return
    await before('NodeResizeInProgress', name)
    const conditions = (status?.conditions ?? []).filter(({ type }) => type === 'FileSystemResizePending')
    const marked = await this.#patchStatus(claim, 'NodeResizeInProgress', conditions)
    try {
      await before('Finished', name)
    } catch (error) {
      if (!(error instanceof Infeasible)) throw error
      const message = `failed to expand pvc with ${error.message}`
      await this.#patchStatus(marked, 'NodeResizeInfeasible', [...conditions, { type: 'NodeResizeError', message }])
      return
    }
    const size = status?.allocatedResources?.storage ?? volume.spec.capacity.storage
    await this.#patchStatus(marked, null, [], { capacity: { storage: size } })
    const annotations = { 'volume.alpha.kubernetes.io/pre-resize-capacity': null }
    await client.request(mergePatchRequest(volumePath(volume.metadata.name), { metadata: { annotations } }, 'folder-driver'))
  }

  /** Conditional on the version that was read. */
  async #patchStatus (
    { metadata, status }: Claim, state: string | null, conditions: readonly Condition[], rest: object = {},
  ): Promise<Claim> {
    const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
    const others = (status?.conditions ?? []).filter(({ type }) => !resizeConditions.has(type))
    const patch = {
      metadata: { resourceVersion: metadata.resourceVersion },
      status: {
        ...rest,
        allocatedResourceStatuses: state === null ? null : { storage: state },
        conditions: [...others, ...conditions.map(condition => ({ status: 'True', lastTransitionTime: now, ...condition }))],
      },
    }
    const request = mergePatchRequest(`${claimPath(metadata)}/status`, patch, 'folder-driver')
    return this.#latestOf(await this.#options.client.request<Claim>(request))
  }
}
