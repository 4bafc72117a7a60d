import { setTimeout as delay } from 'node:timers/promises'
import { tryProbe } from './probe.ts'
import type { ContainerSpec, Probe } from './pod.ts'
import type { RunCommand } from './probe.ts'

export type ProbeKind = 'startup' | 'liveness' | 'readiness'

export interface ProbingOptions {
  readonly container: ContainerSpec
  readonly run: RunCommand
  readonly onStarted: () => void
  readonly onReady: (ready: boolean) => void
  /** The startup or the liveness probe failed often enough. */
  readonly onUnhealthy: (kind: ProbeKind, probe: Probe) => void
  /** One try failed. */
  readonly onFailure: (kind: ProbeKind, message: string) => void
  /** Ends with the program. */
  readonly signal: AbortSignal
}

/**
 * Probes one run of a container: the startup probe until it succeeds, then the others. A container without one has started at
 * once; without a readiness probe it is ready as soon as it has started. Delays count from the start of the program, as kubelet's do.
 */
export async function probe (options: ProbingOptions): Promise<void> {
  const { container: { startupProbe, livenessProbe, readinessProbe }, onStarted, onReady, onUnhealthy, signal } = options
  const began = Date.now()
  if (startupProbe) {
    const succeeded = await until(options, 'startup', startupProbe, began)
    if (signal.aborted) return
    if (!succeeded) return onUnhealthy('startup', startupProbe)
  }
  onStarted()
  if (!readinessProbe) onReady(true)
  await Promise.all([
    livenessProbe && watchLiveness(options, livenessProbe, began),
    readinessProbe && watchReadiness(options, readinessProbe, began),
  ])
}

/** Resolves with the first result that counts. */
async function until (options: ProbingOptions, kind: ProbeKind, spec: Probe, began: number): Promise<boolean> {
  const first = await results(options, kind, spec, began).next()
  return first.done === true ? false : first.value
}

async function watchLiveness (options: ProbingOptions, spec: Probe, began: number): Promise<void> {
  for await (const alive of results(options, 'liveness', spec, began)) {
    if (!alive) return options.onUnhealthy('liveness', spec)
  }
}

async function watchReadiness (options: ProbingOptions, spec: Probe, began: number): Promise<void> {
  for await (const ready of results(options, 'readiness', spec, began)) options.onReady(ready)
}

/** Each result that has met its threshold, until the signal. */
async function * results (options: ProbingOptions, kind: ProbeKind, spec: Probe, began: number): AsyncGenerator<boolean, undefined> {
  const { container, run, onFailure, signal } = options
  const { initialDelaySeconds = 0, periodSeconds = 10, successThreshold = 1, failureThreshold = 3 } = spec
  let last: boolean | undefined
  let count = 0
  for (let next = Math.max(Date.now(), began + initialDelaySeconds * 1000); ; next += periodSeconds * 1000) {
    await delay(Math.max(0, next - Date.now()), undefined, { signal }).catch(() => {})
    if (signal.aborted) return
    const failure = await tryProbe(spec, container, run)
    if (signal.aborted) return
    if (failure !== undefined) onFailure(kind, failure)
    const success = failure === undefined
    count = success === last ? count + 1 : 1
    last = success
    if (count >= (success ? successThreshold : failureThreshold)) yield success
  }
}
