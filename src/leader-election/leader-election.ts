import type { BaseLogger } from 'pino'
import { systemClock, type Clock } from '../clock.ts'
import { withDeadline } from '../cluster/deadline.ts'
import { systemRandom, type Random } from '../random.ts'
import type { Lease, LeaseStore } from './lease.ts'

/** Milliseconds. */
export interface ElectionTiming {
  /** After this time without a renewal, the leader counts as gone. */
  readonly leaseDuration: number
  /**
   * The leader stops if it has not renewed the Lease for this time. The difference to `leaseDuration` allows for clocks that run at
   * different speeds, and for writes that were sent in time but arrive late.
   */
  readonly renewDeadline: number
  /** From the start of one attempt to the start of the next. */
  readonly retryPeriod: number
}

/**
 * The values of controller-runtime. A follower takes over at most leaseDuration + retryPeriod after the last renewal of the leader: 17 s.
 */
export const defaultTiming: ElectionTiming = { leaseDuration: 15_000, renewDeadline: 10_000, retryPeriod: 2_000 }

export interface LeaderElectionOptions {
  readonly store: LeaseStore
  /** Unique for each process, also for two consecutive processes in the same pod. */
  readonly identity: string
  readonly clock?: Clock
  readonly random?: Random
  readonly timing?: ElectionTiming
  readonly log: Pick<BaseLogger, 'info' | 'warn'>
}

/** Another process is the leader, or may be. */
export class NotLeading extends Error {
  override readonly name = 'NotLeading'
}

/** One point in time on both clocks of this machine. Milliseconds. */
interface Moment { readonly monotonic: number, readonly wall: number }

/**
 * Leader election with a Lease. Clocks of different machines are never compared. A follower waits for `leaseDuration` after it last saw the
 * Lease change. The leader measures `renewDeadline`, which is shorter, from before it sent its last renewal. The leader uses the clock on
 * which more time has passed: the monotonic clock stops while the machine is suspended, and the wall clock may be set back. A follower uses
 * only the monotonic clock; in the worst case it waits longer. https://kubernetes.io/docs/concepts/architecture/leases/
 */
export class LeaderElection {
  readonly #options: LeaderElectionOptions
  readonly #clock: Clock
  readonly #timing: ElectionTiming
  /** The Lease as last seen, and when this state was first seen. */
  #seen: { readonly lease: Lease, readonly at: number } | undefined
  /** Immediately before the last accepted renewal was sent. Undefined: this process is not the leader, or does not know that it is. */
  #renewed: Moment | undefined
  #announced: string | undefined

  constructor (options: LeaderElectionOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#timing = options.timing ?? defaultTiming
  }

  isLeading (): boolean { return this.#left() > 0 }

  /** Must be called before each write. @throws {NotLeading} */
  fence (): void {
    if (!this.isLeading()) throw new NotLeading('this process is no longer the leader')
  }

  /** Resolves when this process becomes the leader, or when the signal aborts. Never rejects: if the cluster is unreachable, it waits. */
  async acquire (signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (await this.#try(signal)) {
        this.#options.log.info({ identity: this.#options.identity }, 'this process is the leader')
        return
      }
      await this.#pause(this.#timing.retryPeriod, signal)
    }
  }

  /** Keeps renewing the Lease. Resolves when leadership is lost, or with the signal; the signal does not release the Lease. */
  async hold (signal: AbortSignal): Promise<void> {
    const { retryPeriod } = this.#timing
    let pause = retryPeriod - this.#age()
    for (;;) {
      await this.#clock.sleep(Math.max(0, Math.min(pause, this.#left())), signal)
      if (signal.aborted || !this.isLeading()) return
      const began = this.#clock.monotonic()
      const renewed = await this.#try(signal)
      // An attempt that timed out has waited long enough. An attempt that was refused immediately must not be repeated immediately.
      pause = renewed ? retryPeriod - this.#age() : Math.max(began + retryPeriod - this.#clock.monotonic(), retryPeriod / 4)
    }
  }

  /** Releases the Lease, so that a follower does not have to wait until it expires. Nothing may be written after this. */
  async release (signal: AbortSignal): Promise<void> {
    const { store, identity, log } = this.#options
    const wasLeading = this.isLeading()
    this.#renewed = undefined
    if (!wasLeading) return
    try {
      // A renewal that timed out may have succeeded or not.
      const held = this.#seen?.lease ?? await store.read(signal)
      if (held?.spec?.holderIdentity !== identity) return
      const now = microTime(this.#clock.wall())
      const { leaseTransitions = 0 } = held.spec
      await store.write({ holderIdentity: '', leaseDurationSeconds: 1, acquireTime: now, renewTime: now, leaseTransitions }, held, signal)
      log.info({ identity }, 'leadership released')
    } catch (error) {
      log.warn({ cause: (error as Error).message }, 'leadership not released; the Lease expires by itself')
    }
  }

  /** True: this process holds the Lease from now on. */
  async #try (signal: AbortSignal): Promise<boolean> {
    const { identity, log } = this.#options
    try {
      // A request is aborted when its result can no longer be useful. If a renewal hangs, for example on a dead connection, there must be
      // time for another one.
      const budget = this.isLeading() ? this.#left() / 2 : this.#timing.renewDeadline
      return await withDeadline(this.#clock, budget, signal, async inTime => await this.#once(inTime))
    } catch (error) {
      if (!signal.aborted) log.warn({ identity, cause: (error as Error).message }, 'the Lease cannot be read or written')
      // It is unknown whether the write succeeded: the Lease must be read again.
      if (this.#seen?.lease.spec?.holderIdentity === identity) this.#seen = undefined
      return false
    }
  }

  async #once (signal: AbortSignal): Promise<boolean> {
    // While this process is the leader, no other process writes the Lease; so a renewal is one request.
    const held = this.isLeading() && this.#seen?.lease.spec?.holderIdentity === this.#options.identity ? this.#seen.lease : undefined
    if (held && await this.#write(held, signal)) return this.isLeading()
    const lease = await this.#options.store.read(signal)
    if (lease) this.#observe(lease)
    if (lease && !this.#isFree(lease)) return false
    return await this.#write(lease, signal) && this.isLeading()
  }

  /** False: another client has written the Lease since `previous`. Only the Lease shows whether that client is the leader. */
  async #write (previous: Lease | undefined, signal: AbortSignal): Promise<boolean> {
    // Taken before the request: the API server cannot have accepted the write earlier.
    const sent = this.#now()
    const written = await this.#options.store.write(this.#claim(previous), previous, signal)
    this.#seen = written && { lease: written, at: this.#clock.monotonic() }
    this.#renewed = written && sent
    return written !== undefined
  }

  #now (): Moment { return { monotonic: this.#clock.monotonic(), wall: this.#clock.wall().getTime() } }

  /** Milliseconds since the last renewal, by the clock on which more time has passed. */
  #age (): number {
    if (!this.#renewed) return Infinity
    const now = this.#now()
    return Math.max(now.monotonic - this.#renewed.monotonic, now.wall - this.#renewed.wall)
  }

  /** Milliseconds for which this process is still the leader without another renewal. */
  #left (): number { return this.#timing.renewDeadline - this.#age() }

  #observe (lease: Lease): void {
    if (this.#seen?.lease.metadata.resourceVersion === lease.metadata.resourceVersion) return
    this.#seen = { lease, at: this.#clock.monotonic() }
    const holder = lease.spec?.holderIdentity
    if (!holder || holder === this.#options.identity) return
    // Whatever our clocks say, the holder is allowed to write.
    this.#renewed = undefined
    if (holder !== this.#announced) {
      this.#options.log.info({ leader: holder }, 'another process is the leader')
      this.#announced = holder
    }
  }

  #isFree ({ spec: { holderIdentity, leaseDurationSeconds } = {} }: Lease): boolean {
    if (!holderIdentity || holderIdentity === this.#options.identity) return true
    // The duration in the Lease counts, because the leader may use a different one.
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

  /** Spreads the attempts of followers, so that they do not all write at the same time when the Lease expires. */
  async #pause (milliseconds: number, signal: AbortSignal): Promise<void> {
    const { random = systemRandom } = this.#options
    await this.#clock.sleep(milliseconds * (0.8 + random() * 0.4), signal)
  }
}

/** https://pkg.go.dev/k8s.io/apimachinery/pkg/apis/meta/v1#MicroTime */
const microTime = (time: Date) => `${time.toISOString().slice(0, -1)}000Z`
