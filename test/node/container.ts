import { randomBytes } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Backoff, goDuration } from './backoff.ts'
import { ConfigError, expand, resolveEnvironment } from './environment.ts'
import { PullError, pull } from './images.ts'
import { podReference } from './pod.ts'
import { probe } from './probing.ts'
import { StartError, runInside, startSandbox } from './sandbox.ts'
import { terminationMessage } from './termination-message.ts'
import { userOf } from './user.ts'
import type { ReadData } from './environment.ts'
import type { Image, Images } from './images.ts'
import type { ContainerSpec, ContainerState, ContainerStatus, Hook, Pod, Terminated } from './pod.ts'
import type { ProbeKind } from './probing.ts'
import type { Mount, Sandbox, SandboxOptions } from './sandbox.ts'
import type { Timing } from './timing.ts'

export interface ContainerOptions {
  readonly pod: Pod
  readonly spec: ContainerSpec
  readonly isInit: boolean
  readonly images: Images
  readonly timing: Timing
  /** A folder for this container only. */
  readonly folder: string
  readonly read: ReadData
  readonly mounts: () => readonly Mount[]
  /** Called when something changed that is part of the pod status. */
  readonly onChange: () => void
  readonly event: (type: 'Normal' | 'Warning', reason: string, message: string) => void
  readonly onSpawn: (sandbox: Sandbox) => void
}

/** One start of the program. */
interface Run {
  readonly sandbox: Sandbox
  readonly options: SandboxOptions
  readonly startedAt: string
  readonly containerID: string
  readonly log: string
  readonly messageFile: string
}

const now = () => new Date().toISOString().replace(/\.\d+Z$/, 'Z')

/** kubelet gives every program this long, however short the grace period. Seconds. */
const minimumGrace = 2

/** A container of a pod from its first start to its last. */
export class Container {
  readonly #options: ContainerOptions
  readonly #backoff: Backoff
  #state: ContainerState
  #lastState: ContainerState = {}
  #restartCount = 0
  #ready = false
  #started = false
  #image: { readonly id: string } | undefined
  #containerID = ''
  #run: Run | undefined
  #stopping: Promise<void> | undefined

  constructor (options: ContainerOptions) {
    this.#options = options
    this.#backoff = new Backoff(options.timing.crashBackoff, options.timing.maxBackoff)
    const hasInit = (options.pod.spec.initContainers ?? []).length > 0
    this.#state = { waiting: { reason: hasInit ? 'PodInitializing' : 'ContainerCreating' } }
  }

  get name (): string {
    return this.#options.spec.name
  }

  /** The program that runs now: its process and its log. */
  get running () {
    return this.#run && { pid: this.#run.sandbox.pid, log: this.#run.log, restartCount: this.#restartCount }
  }

  status (): ContainerStatus {
    const { spec } = this.#options
    return {
      name: spec.name,
      image: spec.image,
      imageID: this.#image?.id ?? '',
      ...this.#containerID && { containerID: this.#containerID },
      state: this.#state,
      lastState: this.#lastState,
      ready: this.#options.isInit ? this.#state.terminated?.exitCode === 0 : this.#ready,
      started: this.#started,
      restartCount: this.#restartCount,
    }
  }

  /**
   * Starts the program, and again when it ends, as the restart policy says. Resolves with the last exit code, or with undefined when
   * the signal came before there was one.
   */
  async keepRunning (signal: AbortSignal): Promise<number | undefined> {
    for (;;) {
      const terminated = await this.#once(signal)
      if (!terminated) return undefined
      this.#set({ terminated })
      if (signal.aborted || !this.#isRestarted(terminated.exitCode)) return terminated.exitCode
      await this.#backOff(terminated, signal)
      if (signal.aborted) return terminated.exitCode
      this.#lastState = { terminated }
      this.#restartCount++
    }
  }

  /** Runs the hook, then signals, then kills. Resolves when the program has ended. */
  async stop (graceSeconds: number, message = `Stopping container ${this.name}`): Promise<void> {
    this.#stopping ??= this.#stop(graceSeconds, message).finally(() => { this.#stopping = undefined })
    await this.#stopping
  }

  /** The kubelet's status of a container that never ran when its pod is deleted. */
  markGone (): void {
    if (this.#state.terminated) return
    this.#set({
      terminated: {
        exitCode: 137,
        reason: 'ContainerStatusUnknown',
        message: 'The container could not be located when the pod was terminated',
        startedAt: now(),
        finishedAt: now(),
        containerID: '',
      },
    })
  }

  #isRestarted (exitCode: number): boolean {
    const { pod: { spec: { restartPolicy = 'Always' } }, isInit } = this.#options
    if (isInit) return exitCode !== 0 && restartPolicy !== 'Never'
    return restartPolicy === 'Always' || (restartPolicy === 'OnFailure' && exitCode !== 0)
  }

  async #once (signal: AbortSignal): Promise<Terminated | undefined> {
    const image = await this.#pull(signal)
    const prepared = image && await this.#prepare(image, signal)
    if (!prepared || signal.aborted) return undefined
    const { sandboxOptions, containerID, messageFile } = prepared
    const startedAt = now()
    this.#containerID = containerID
    try {
      const sandbox = await startSandbox(sandboxOptions)
      this.#run = { sandbox, options: sandboxOptions, startedAt, containerID, log: sandboxOptions.log, messageFile }
    } catch (error) {
      if (!(error instanceof StartError)) throw error
      const message = `failed to create containerd task: failed to create shim task: OCI runtime create failed: ${error.message}`
      this.#options.event('Warning', 'Failed', `Error: ${message}`)
      return { exitCode: 128, reason: 'StartError', message, startedAt: '1970-01-01T00:00:00Z', finishedAt: now(), containerID }
    }
    return await this.#watch(this.#run)
  }

  async #watch (run: Run): Promise<Terminated> {
    const { spec, event, onSpawn, onChange } = this.#options
    onSpawn(run.sandbox)
    this.#set({ running: { startedAt: run.startedAt } })
    event('Normal', 'Started', 'Container started')
    const over = new AbortController()
    const probing = probe({
      container: spec,
      run: async (command, milliseconds) => await runInside(run.sandbox, { ...run.options, command }, milliseconds),
      onStarted: () => { this.#started = true; onChange() },
      onReady: ready => {
        if (this.#ready !== ready) { this.#ready = ready; onChange() }
      },
      onFailure: (kind, message) => { event('Warning', 'Unhealthy', `${capital(kind)} probe failed: ${message}`) },
      onUnhealthy: (kind, { terminationGracePeriodSeconds }) => {
        const grace = terminationGracePeriodSeconds ?? this.#options.pod.spec.terminationGracePeriodSeconds ?? 30
        void this.stop(grace, `Container ${spec.name} failed ${kind} probe, will be restarted`)
      },
      signal: over.signal,
    })
    const exitCode = await run.sandbox.exited
    over.abort()
    await probing
    this.#run = undefined
    this.#started = false
    this.#ready = false
    const message = await terminationMessage(spec, exitCode, run.messageFile, run.log)
    return {
      exitCode,
      reason: exitCode === 0 ? 'Completed' : 'Error',
      ...message && { message },
      startedAt: run.startedAt,
      finishedAt: now(),
      containerID: run.containerID,
    }
  }

  async #pull (signal: AbortSignal): Promise<(Image & { readonly id: string }) | undefined> {
    const { spec, images, timing, event } = this.#options
    const backoff = new Backoff(timing.imageBackoff, timing.maxBackoff)
    backoff.next(Date.now())
    while (!signal.aborted) {
      try {
        const image = pull(images, spec.image)
        this.#image = image
        return image
      } catch (error) {
        if (!(error instanceof PullError)) throw error
        this.#wait(error.reason, error.message)
        event('Warning', 'Failed', `Failed to pull image "${spec.image}": ${error.message}`)
        const wait = backoff.next(Date.now())
        // kubelet shows the error until it looks at the pod again.
        await pause(Math.min(wait / 4, 2000), signal)
        if (error.reason === 'ErrImagePull') this.#wait('ImagePullBackOff', `Back-off pulling image "${spec.image}": ErrImagePull: ${error.message}`)
        await pause(wait * 3 / 4, signal)
      }
    }
    return undefined
  }

  async #prepare (image: Image, signal: AbortSignal) {
    const { timing, event } = this.#options
    while (!signal.aborted) {
      try {
        return await this.#sandboxOptions(image)
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error
        this.#wait('CreateContainerConfigError', error.message)
        event('Warning', 'Failed', `Error: ${error.message}`)
        await pause(timing.retry, signal)
      }
    }
    return undefined
  }

  async #sandboxOptions (image: Image) {
    const { pod, spec, folder, read, mounts } = this.#options
    const base = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/', HOSTNAME: pod.metadata.name, ...image.environment }
    const environment = await resolveEnvironment(pod, spec, base, read)
    const user = userOf(pod, spec, image)
    const expanded = (words: readonly string[] | undefined) => words?.map(word => expand(word, environment))
    const command = [
      ...expanded(spec.command) ?? image.entrypoint ?? [],
      ...expanded(spec.args) ?? (spec.command ? [] : image.command ?? []),
    ]
    const containerID = randomBytes(32).toString('hex')
    const run = join(folder, String(this.#restartCount))
    await rm(run, { recursive: true, force: true })
    await mkdir(run, { recursive: true })
    const messageFile = join(run, 'termination-message')
    await writeFile(messageFile, '', { mode: 0o666 })
    const sandboxOptions: SandboxOptions = {
      folder: run,
      log: join(run, 'log'),
      mounts: [
        ...Object.entries(image.files ?? {}).map(([target, source]) => ({ source, target, readOnly: true })),
        ...mounts(),
        { source: messageFile, target: spec.terminationMessagePath ?? '/dev/termination-log', readOnly: false },
      ],
      command,
      environment,
      workingDirectory: spec.workingDir ?? image.workingDirectory ?? '/',
      user,
    }
    return { sandboxOptions, containerID: `containerd://${containerID}`, messageFile }
  }

  async #backOff (terminated: Terminated, signal: AbortSignal): Promise<void> {
    const { spec, pod, event } = this.#options
    const wait = this.#backoff.next(Date.now())
    if (wait === 0) return
    const reference = podReference(pod)
    event('Warning', 'BackOff', `Back-off restarting failed container ${spec.name} in pod ${reference}`)
    this.#lastState = { terminated }
    this.#wait('CrashLoopBackOff', `back-off ${goDuration(wait)} restarting failed container=${spec.name} pod=${reference}`)
    await pause(wait, signal)
  }

  async #stop (graceSeconds: number, message: string): Promise<void> {
    const run = this.#run
    if (!run) return
    const { spec: { lifecycle }, event } = this.#options
    event('Normal', 'Killing', message)
    const deadline = Date.now() + Math.max(graceSeconds, minimumGrace) * 1000
    const over = new AbortController()
    const exited = run.sandbox.exited.then(() => { over.abort() })
    if (lifecycle?.preStop && graceSeconds > 0) await this.#preStop(run, lifecycle.preStop, graceSeconds * 1000, over.signal)
    run.sandbox.signal('SIGTERM')
    await Promise.race([exited, pause(Math.max(deadline - Date.now(), minimumGrace * 1000), over.signal)])
    run.sandbox.signal('SIGKILL')
    await exited
  }

  async #preStop (run: Run, hook: Hook, milliseconds: number, signal: AbortSignal) {
    if (hook.sleep) await pause(Math.min(hook.sleep.seconds * 1000, milliseconds), signal)
    if (!hook.exec) return
    const { code, output } = await runInside(run.sandbox, { ...run.options, command: hook.exec.command }, milliseconds)
    if (code !== 0) this.#options.event('Warning', 'FailedPreStopHook', `PreStopHook failed: ${output.trim()}`)
  }

  #wait (reason: string, message: string): void {
    this.#set({ waiting: { reason, message } })
  }

  #set (state: ContainerState): void {
    this.#state = state
    this.#options.onChange()
  }
}

const capital = (kind: ProbeKind) => kind.charAt(0).toUpperCase() + kind.slice(1)

/** Until the time is over, or the signal. */
const pause = async (milliseconds: number, signal: AbortSignal) => { await delay(milliseconds, undefined, { signal }).catch(() => {}) }
