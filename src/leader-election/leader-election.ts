import type { BaseLogger } from 'pino'
import type { Lease, LeaseStore } from './lease.ts'

/** A clock that tests can turn themselves. */
export interface ElectionClock {
  /** Milliseconds of a clock that is never set: differences mean something, the number does not. */
  monotonic (): number
  /** What the clock on the wall says; written into the Lease for people, and never calculated with. */
  wall (): Date
  /** Resolves when the time is over or the signal aborts. */
  sleep (milliseconds: number, signal: AbortSignal): Promise<void>
}

/** Milliseconds. */
export interface ElectionTiming {
  /** After so long without a sign of life the leader counts as gone. */
  readonly leaseDuration: number
  /**
   * The leader stops for want of a renewal after this. The difference to `leaseDuration` is what clocks may run apart, and
   * what a write that was sent in time may need to arrive.
   */
  readonly renewDeadline: number
  /** From the beginning of one attempt to that of the next. */
  readonly retryPeriod: number
}

/** Those of controller-runtime. A follower acts at the latest leaseDuration + retryPeriod after the leader's last renewal: 17 s. */
export const defaultTiming: ElectionTiming = { leaseDuration: 15_000, renewDeadline: 10_000, retryPeriod: 2_000 }

export interface LeaderElectionOptions {
  readonly store: LeaseStore
  /** One of its own for each process, also for two in one pod after each other. */
  readonly identity: string
  readonly clock?: ElectionClock
  readonly timing?: ElectionTiming
  readonly log: Pick<BaseLogger, 'info' | 'warn'>
}

/** Another process leads, or may lead. */
export class NotLeading extends Error {
  override readonly name = 'NotLeading'
}

const realClock: ElectionClock = {
  monotonic: () => performance.now(),
  wall: () => new Date(),
  sleep: async (milliseconds, signal) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, milliseconds)
    signal.addEventListener('abort', () => resolve(), { once: true })
    if (signal.aborted) resolve()
    await promise
    clearTimeout(timer)
  },
}

/**
 * One leader at a time, by a Lease. No clock is compared with another: a follower waits for `leaseDuration` from the moment at
 * which it saw the Lease change last, the leader counts `renewDeadline` from before it sent its last renewal, and the latter
 * is the shorter one. https://kubernetes.io/docs/concepts/architecture/leases/
 */
export class LeaderElection {
  readonly #options: LeaderElectionOptions
  readonly #clock: ElectionClock
  readonly #timing: ElectionTiming
  /** The Lease as last seen, and when it was first seen like this. */
  #seen: { readonly lease: Lease, readonly at: number } | undefined
  /** Until when this process leads, by its own clock. */
  #leadsUntil = -Infinity
  #announced: string | undefined

  constructor (options: LeaderElectionOptions) {
    this.#options = options
    this.#clock = options.clock ?? realClock
    this.#timing = options.timing ?? defaultTiming
  }

  isLeading (): boolean { return this.#clock.monotonic() < this.#leadsUntil }

  /** To be called before each write. @throws {NotLeading} */
  fence (): void {
    if (!this.isLeading()) throw new NotLeading('this process does not lead any more')
  }

  /** Resolves when this process leads, or when the signal aborts. Never rejects: a cluster that is away is waited for. */
  async acquire (signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (await this.#try(signal)) {
        this.#options.log.info({ identity: this.#options.identity }, 'this process leads')
        return
      }
      await this.#pause(this.#timing.retryPeriod, signal)
    }
  }

  /** Goes on renewing. Resolves when the lead is lost, or with the signal, which leaves it as it is. */
  async hold (signal: AbortSignal): Promise<void> {
    const { renewDeadline, retryPeriod } = this.#timing
    let next = this.#leadsUntil - renewDeadline + retryPeriod
    while (!signal.aborted && this.isLeading()) {
      await this.#clock.sleep(Math.max(0, Math.min(next, this.#leadsUntil) - this.#clock.monotonic()), signal)
      if (signal.aborted || !this.isLeading()) return
      const began = this.#clock.monotonic()
      const renewed = await this.#try(signal)
      // One that was cut off has waited long enough; one that was refused at once must not be repeated at once.
      next = renewed
        ? this.#leadsUntil - renewDeadline + retryPeriod
        : Math.max(began + retryPeriod, this.#clock.monotonic() + retryPeriod / 4)
    }
  }

  /** Gives the lead back, so that a follower need not wait until it runs out. Nothing may be written after this. */
  async release (signal: AbortSignal): Promise<void> {
    const { store, identity, log } = this.#options
    const wasLeading = this.isLeading()
    this.#leadsUntil = -Infinity
    if (!wasLeading) return
    try {
      // A renewal that was cut off may or may not have come through.
      const held = this.#seen?.lease ?? await store.read(signal)
      if (held?.spec?.holderIdentity !== identity) return
      const now = microTime(this.#clock.wall())
      const { leaseTransitions = 0 } = held.spec
      await store.write({ holderIdentity: '', leaseDurationSeconds: 1, acquireTime: now, renewTime: now, leaseTransitions }, held, signal)
      log.info({ identity }, 'lead given back')
    } catch (error) {
      log.warn({ cause: (error as Error).message }, 'lead not given back; it runs out by itself')
    }
  }

  /** True: the Lease is ours from now on. */
  async #try (signal: AbortSignal): Promise<boolean> {
    const { identity, log } = this.#options
    try {
      // A renewal that hangs, perhaps on a connection that leads nowhere, must leave time for another one.
      const budget = this.isLeading() ? (this.#leadsUntil - this.#clock.monotonic()) / 2 : this.#timing.renewDeadline
      return await this.#within(budget, signal)
    } catch (error) {
      if (!signal.aborted) log.warn({ identity, cause: (error as Error).message }, 'the Lease cannot be read or written')
      // Whether the write has come through nobody knows: it is to be read again.
      if (this.#seen?.lease.spec?.holderIdentity === identity) this.#seen = undefined
      return false
    }
  }

  /** Cuts off a request that no one can be waiting for any more. */
  async #within (budget: number, outer: AbortSignal): Promise<boolean> {
    const late = new AbortController()
    const inTime = new AbortController()
    void this.#clock.sleep(budget, inTime.signal).then(() => late.abort(new Error('no answer in time')))
    try {
      return await this.#once(AbortSignal.any([outer, late.signal]))
    } finally {
      inTime.abort()
    }
  }

  async #once (signal: AbortSignal): Promise<boolean> {
    const lease = this.#isHeld() ? this.#seen?.lease : await this.#options.store.read(signal)
    if (lease) this.#observe(lease)
    if (lease && !this.#isFree(lease)) return false
    // From before the request: the API server can have taken it no earlier.
    const sent = this.#clock.monotonic()
    const written = await this.#options.store.write(this.#claim(lease), lease, signal)
    if (!written) {
      // Somebody else was faster, so what we remember is of no use.
      this.#seen = undefined
      return false
    }
    this.#seen = { lease: written, at: this.#clock.monotonic() }
    this.#leadsUntil = sent + this.#timing.renewDeadline
    return this.isLeading()
  }

  /** As long as we lead, nobody else writes it; so the renewal is one request. */
  #isHeld (): boolean {
    return this.isLeading() && this.#seen?.lease.spec?.holderIdentity === this.#options.identity
  }

  #observe (lease: Lease): void {
    if (this.#seen?.lease.metadata.resourceVersion === lease.metadata.resourceVersion) return
    this.#seen = { lease, at: this.#clock.monotonic() }
    const holder = lease.spec?.holderIdentity
    if (holder && holder !== this.#options.identity && holder !== this.#announced) {
      this.#options.log.info({ leader: holder }, 'another process leads')
      this.#announced = holder
    }
  }

  #isFree ({ spec: { holderIdentity, leaseDurationSeconds } = {} }: Lease): boolean {
    if (!holderIdentity || holderIdentity === this.#options.identity) return true
    // The leader's own duration counts, in case it runs with another one.
    const duration = Math.max(this.#timing.leaseDuration, (leaseDurationSeconds ?? 0) * 1000)
    return this.#seen !== undefined && this.#clock.monotonic() - this.#seen.at > duration
  }

  #claim (lease: Lease | undefined): NonNullable<Lease['spec']> {
    const { identity } = this.#options
    const now = microTime(this.#clock.wall())
    const { holderIdentity, acquireTime, leaseTransitions = 0 } = lease?.spec ?? {}
    const isRenewal = holderIdentity === identity
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(this.#timing.leaseDuration / 1000),
      acquireTime: isRenewal && acquireTime ? acquireTime : now,
      renewTime: now,
      leaseTransitions: lease === undefined || isRenewal ? leaseTransitions : leaseTransitions + 1,
    }
  }

  /** Followers that ask at different times do not all write at once when the lead falls vacant. */
  async #pause (milliseconds: number, signal: AbortSignal): Promise<void> {
    await this.#clock.sleep(milliseconds * (0.8 + Math.random() * 0.4), signal)
  }
}

/** https://pkg.go.dev/k8s.io/apimachinery/pkg/apis/meta/v1#MicroTime */
const microTime = (time: Date) => time.toISOString().replace(/Z$/, '000Z')
