import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { hasStatus } from '../../src/cluster/api-error.ts'
import { deleteRequest } from '../../src/cluster/api-requests.ts'
import { strategicPatch } from './api.ts'
import { Container } from './container.ts'
import { podStatus } from './pod-status.ts'
import { MountError, mountVolumes, volumeMounts } from './volumes.ts'
import type { ApiClient } from '../../src/cluster/api-client.ts'
import type { ContainerOptions } from './container.ts'
import type { ContainerSpec, Metadata, Pod, PodCondition } from './pod.ts'
import type { EventRecorder } from './events.ts'
import type { Sandbox } from './sandbox.ts'
import type { VolumesOptions } from './volumes.ts'

export interface PodWorkerOptions extends Pick<ContainerOptions, 'images' | 'timing'>, Pick<VolumesOptions, 'claimFolder'> {
  readonly client: ApiClient
  readonly pod: Pod
  /** A folder for this pod only. */
  readonly folder: string
  /** A program has been started. */
  readonly onSpawn: (container: string, sandbox: Sandbox) => void
  /** Its volumes are there. */
  readonly onMount: () => void
  readonly record: EventRecorder
  readonly readData: (namespace: string) => VolumesOptions['read']
}

const now = () => new Date().toISOString().replace(/\.\d+Z$/, 'Z')

/** One pod, from its assignment to this node until it is deleted. */
export class PodWorker {
  readonly #options: PodWorkerOptions
  readonly #stop = new AbortController()
  readonly #startTime = now()
  readonly #init: readonly Container[]
  readonly #containers: readonly Container[]
  readonly #path: string
  #pod: Pod
  #volumes: ReadonlyMap<string, string> | undefined
  #conditions: readonly PodCondition[] = []
  #finished = false
  #isGone = false
  #reporting: Promise<void> | undefined
  #reportAgain = false
  #terminating: Promise<void> | undefined
  readonly #running: Promise<void>

  constructor (options: PodWorkerOptions) {
    const { pod } = options
    this.#options = options
    this.#pod = pod
    this.#path = `/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}`
    this.#init = (pod.spec.initContainers ?? []).map(spec => this.#container(spec, true))
    this.#containers = pod.spec.containers.map(spec => this.#container(spec, false))
    this.#running = this.#run()
  }

  get metadata (): Metadata {
    return this.#pod.metadata
  }

  /** The names of claims that are mounted by now. */
  get claims (): readonly string[] {
    return this.#volumes ? (this.#pod.spec.volumes ?? []).flatMap(({ persistentVolumeClaim: claim }) => claim ? [claim.claimName] : []) : []
  }

  /** The first that is no init container, unless one is named. */
  container (name?: string): Container | undefined {
    return name === undefined ? this.#containers[0] : [...this.#init, ...this.#containers].find(container => container.name === name)
  }

  update (pod: Pod): void {
    this.#pod = pod
    if (pod.metadata.deletionTimestamp !== undefined) void this.terminate(pod.metadata.deletionGracePeriodSeconds ?? 30)
  }

  /** Ends the programs, then deletes the pod object. Resolves when both are done. */
  async terminate (graceSeconds: number): Promise<void> {
    this.#terminating ??= this.#terminate(graceSeconds)
    await this.#terminating
  }

  /** The object is already deleted: ends the programs immediately. */
  async kill (): Promise<void> {
    this.#isGone = true
    await this.terminate(0)
  }

  async #terminate (graceSeconds: number): Promise<void> {
    this.#stop.abort()
    await Promise.all([...this.#init, ...this.#containers].map(async container => { await container.stop(graceSeconds) }))
    await this.#running
    for (const container of this.#containers) container.markGone()
    this.#finished = true
    await this.#report()
    await this.#remove()
    await rm(join(this.#options.folder, 'volumes'), { recursive: true, force: true })
  }

  async #run (): Promise<void> {
    const { signal } = this.#stop
    await this.#report()
    this.#volumes = await this.#mount(signal)
    if (!this.#volumes) return
    this.#options.onMount()
    for (const container of this.#init) {
      const exitCode = await container.keepRunning(signal)
      if (exitCode !== 0) return
    }
    await Promise.all(this.#containers.map(async container => await container.keepRunning(signal)))
  }

  async #mount (signal: AbortSignal): Promise<ReadonlyMap<string, string> | undefined> {
    const { folder, readData, claimFolder, timing, record } = this.#options
    await mkdir(join(folder, 'volumes'), { recursive: true })
    while (!signal.aborted) {
      try {
        return await mountVolumes({ pod: this.#pod, folder: join(folder, 'volumes'), read: readData(this.#pod.metadata.namespace), claimFolder })
      } catch (error) {
        if (!(error instanceof MountError)) throw error
        record(this.#pod, 'Warning', 'FailedMount', error.message)
        await delay(timing.retry, undefined, { signal }).catch(() => {})
      }
    }
    return undefined
  }

  #container (spec: ContainerSpec, isInit: boolean): Container {
    const { pod, images, timing, folder, record, readData, onSpawn } = this.#options
    return new Container({
      pod,
      spec,
      isInit,
      images,
      timing,
      onSpawn: sandbox => { onSpawn(spec.name, sandbox) },
      folder: join(folder, spec.name),
      read: readData(pod.metadata.namespace),
      mounts: () => volumeMounts(this.#volumes ?? new Map(), pod.spec, spec),
      onChange: () => void this.#report(),
      event: (type, reason, message) => { record(pod, type, reason, message, spec.name) },
    })
  }

  /** Writes the present status; while one is being written, once more afterwards. */
  async #report (): Promise<void> {
    this.#reportAgain = true
    this.#reporting ??= this.#write().finally(() => { this.#reporting = undefined })
    await this.#reporting
  }

  async #write (): Promise<void> {
    while (this.#reportAgain && !this.#isGone) {
      this.#reportAgain = false
      const status = podStatus(this.#pod, {
        initContainers: this.#init.map(container => container.status()),
        containers: this.#containers.map(container => container.status()),
        readyToStart: this.#volumes !== undefined,
        finished: this.#finished,
        startTime: this.#startTime,
      }, this.#conditions, now())
      this.#conditions = status.conditions ?? []
      try {
        await strategicPatch(this.#options.client, `${this.#path}/status`, { metadata: { uid: this.#pod.metadata.uid }, status })
      } catch (error) {
        // Another pod of the name, or none.
        if (hasStatus(error, 404) || hasStatus(error, 409)) return
        // An unreachable API server. A permanent refusal shows up in the test that waits for the result.
        this.#reportAgain = true
        await delay(500)
      }
    }
  }

  async #remove (): Promise<void> {
    const { client } = this.#options
    const { uid } = this.#pod.metadata
    const request = deleteRequest(this.#path, { uid })
    while (!this.#isGone) {
      try {
        await client.request({ ...request, body: { ...request.body as object, gracePeriodSeconds: 0 } })
        return
      } catch (error) {
        if (hasStatus(error, 404) || hasStatus(error, 409)) return
        await delay(500)
      }
    }
  }
}
