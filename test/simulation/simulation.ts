import { act, type Action } from './actions.ts'
import { Cluster } from './cluster.ts'
import type { ControllerContext, ModelController } from './controllers/controller.ts'
import { garbageCollector } from './controllers/garbage-collector.ts'
import { kubelet } from './controllers/kubelet.ts'
import { perconaOperator } from './controllers/percona-operator.ts'
import { statefulSetController } from './controllers/stateful-set-controller.ts'
import { volumeController } from './controllers/volumes.ts'
import { Disturbance } from './disturbance.ts'
import { seedsPerStory } from './generate.ts'
import { Invariants } from './invariants.ts'
import { leaveBehind } from './go-operator.ts'
import { modelKinds } from './model/kinds.ts'
import { Network } from './network.ts'
import { faultsAtRest, isFailing } from './oracle.ts'
import { OperatorProcess } from './operator-process.ts'
import { installPercona } from './percona-crd.ts'
import { Chance } from './random.ts'
import type { Fault, Phase, Scenario } from './scenario.ts'
import { storageClass } from './servers.ts'
import { RestartMemory } from './restart-memory.ts'
import { differences, snapshotOf, withoutRestarts, type Snapshot } from './snapshot.ts'
import { World } from './world.ts'

export interface SimulationOptions {
  /** Without faults, fast, and with one process: the reference result for all other runs. */
  readonly reference: boolean
  /** The result of the reference. */
  readonly expected?: Pick<Outcome, 'rests' | 'performed'>
  readonly trace?: (line: string) => void
}

export interface Rest {
  readonly snapshot: Snapshot
  /** Servers whose last restart has no meaning any more. */
  readonly unrestarted: ReadonlySet<string>
}

export interface Outcome {
  readonly violations: readonly string[]
  /** The settled cluster after each phase. */
  readonly rests: readonly Rest[]
  /** Actions that could be done, as `phase/number`. */
  readonly performed: ReadonlySet<string>
  readonly writes: number
  readonly idleWrites: number
  readonly requests: number
  /** Virtual time that passed, milliseconds. */
  readonly lasted: number
}

/** Within this time after the last fault everything is as it must be. The longest wait of all is for a watch that fell silent. */
const longestRecovery = 600_000
/**
 * The cluster has settled when the operator has written nothing for this time: longer than any period of the loop, and than the longest
 * delay after a failure if something fails.
 */
const restingTime = 17_000
const failingTime = 65_000
/** Within this time a cache that was told that a kind is not served has looked again. */
const lookingAgain = 31_000

/** Longer than a lead that is not renewed. */
const standstill = 20_000

/** The differences of a settled cluster to the reference. */
function unlike (wanted: Rest, found: Rest): string[] {
  const unrestarted = new Set([...wanted.unrestarted, ...found.unrestarted])
  return differences(withoutRestarts(wanted.snapshot, unrestarted), withoutRestarts(found.snapshot, unrestarted))
}

interface Pending { readonly name: string, readonly at: number, readonly action: Action }

/** One run of a scenario, in virtual time. The same scenario runs in the same way each time. */
export class Simulation {
  readonly #scenario: Scenario
  readonly #options: SimulationOptions
  readonly #world = new World()
  readonly #cluster = new Cluster(this.#world)
  readonly #chance: Chance
  readonly #invariants: Invariants
  readonly #disturbance: Disturbance
  readonly #network: Network
  readonly #controllers: readonly ModelController[]
  readonly #processes: (OperatorProcess | undefined)[] = []
  readonly #rests: Rest[] = []
  readonly #performed = new Set<string>()
  readonly #restarts = new RestartMemory(this.#cluster)
  #started = 0
  #requests = 0
  /** Before that the operator need not have noticed that the Percona operator was installed. */
  #noticedBy = 0
  /** Who still has something to do, for instance because what it is about is not there yet. */
  #busyUsers = 0
  #isOver = false

  constructor (scenario: Scenario, options: SimulationOptions) {
    this.#scenario = scenario
    this.#options = options
    this.#chance = new Chance(scenario.seed)
    this.#invariants = new Invariants(this.#cluster, options.reference ? 3_000 : 120_000)
    this.#disturbance = new Disturbance(this.#world, this.#chance.fork())
    this.#network = new Network({
      cluster: this.#cluster,
      chance: this.#chance.fork(),
      weather: process => this.#disturbance.weather(process),
      fate: (sent, weather) => this.#disturbance.fate(sent, weather),
      lag: (process, resource) => this.#disturbance.lag(process, resource),
      onSent: sent => {
        this.#requests++
        this.#invariants.sent(sent)
      },
      onArrived: (sent, reply, changed) => {
        this.#invariants.arrived(sent, reply, changed)
        this.#trace(`${sent.process} ${sent.request.method} ${sent.request.url.pathname}${sent.request.url.search} → ${reply ? reply.status : 'watch'}${reply && reply.status >= 400 ? ` ${reply.body}` : sent.isWrite ? ` ${sent.request.body ?? ''}` : ''}`)
      },
    })
    this.#disturbance.onDeath = name => { this.#world.at(this.#world.now, () => { this.#killWriter(name) }) }
    this.#disturbance.onStill = (name, how) => { this.#processes.find(process => process?.name === name)?.machine[how](standstill) }
    this.#controllers = this.#startControllers()
    this.#cluster.onChange(change => {
      this.#trace(`    ${this.#cluster.actor}: ${change.type} ${change.kind.kind} ${String((change.object.metadata as { name?: string }).name)} @${change.version}`)
      for (const controller of this.#controllers) controller.onChange(change)
    })
  }

  async run (): Promise<Outcome> {
    this.#populate()
    if (this.#scenario.takenOver) await this.#world.run(10_000)
    const count = this.#options.reference ? 1 : this.#scenario.clocks.length
    for (let place = 0; place < count; place++) this.#start(place)
    for (const phase of this.#scenario.phases) {
      await this.#phase(phase)
      if (this.#invariants.violations.length > 0) break
    }
    // All seeds of a story have the same result.
    const proves = this.#options.reference || this.#scenario.seed % seedsPerStory === 0
    if (proves && this.#invariants.violations.length === 0) await this.#anew()
    this.#isOver = true
    for (const process of this.#processes) process?.kill()
    const { violations, writes, idleWrites } = this.#invariants
    const [rests, performed, requests] = [this.#rests, this.#performed, this.#requests]
    return { violations, rests, performed, writes, idleWrites, requests, lasted: this.#world.now }
  }

  /** The objects that exist before any user action. */
  #populate (): void {
    const { api } = this.#cluster
    for (const [name, expandable, isDefault] of [['grows', true, false], ['stays', false, false], ['standard', true, true]] as const) {
      this.#cluster.as('user', () => api.create({ kind: modelKinds.storageClass, namespace: '', name }, storageClass(name, expandable, isDefault), { manager: 'user' }))
    }
    api.serve(modelKinds.perconaCluster, false)
    if (this.#scenario.percona) this.#cluster.as('user', () => { installPercona(this.#cluster) })
    for (const { server, spec } of this.#scenario.takenOver ?? []) leaveBehind(this.#cluster, server, spec)
  }

  #startControllers (): ModelController[] {
    const { reference } = this.#options
    const patience = () => reference ? 20 : this.#disturbance.patience()
    const context = (): ControllerContext => ({ cluster: this.#cluster, chance: this.#chance.fork(), patience })
    const { databaseAfter } = this.#scenario
    return [
      garbageCollector(context()), statefulSetController(context()), kubelet(context()), volumeController(context()),
      perconaOperator(context(), () => databaseAfter < 0 ? Infinity : databaseAfter * 1_000),
    ]
  }

  #start (place: number): void {
    if (this.#isOver) return
    const { reference } = this.#options
    const name = `operator-${place}-${this.#started++}`
    this.#disturbance.place(name, place)
    this.#trace(`${name} starts`)
    this.#processes[place] = new OperatorProcess({
      name,
      world: this.#world,
      network: this.#network,
      chance: this.#chance.fork(),
      machine: {
        rate: reference ? 1 : this.#scenario.clocks[place] ?? 1,
        origin: this.#chance.next() * 1e9,
        wallOffset: (this.#chance.next() - 0.5) * 1e9,
      },
      log: (level, fields, message) => { this.#logged(name, level, fields, message) },
      onEnd: cause => {
        this.#trace(`${name} ends: ${cause.message}`)
        this.#world.at(this.#world.now + 2_000, () => { if (this.#processes[place]?.name === name) this.#start(place) })
      },
    })
  }

  #logged (name: string, level: string, fields: unknown, message: string): void {
    if (level === 'error') this.#invariants.violate(`${name} logs an error: ${message} ${this.#describe(fields)}`)
    if (this.#options.trace && level !== 'debug') this.#trace(`${name} ${level}: ${message} ${this.#describe(fields)}`)
  }

  #describe (fields: unknown): string {
    return JSON.stringify(fields, (_key, value: unknown) => value instanceof Error ? `${value.name}: ${value.message}` : value)
  }

  async #phase ({ actions, faults }: Phase): Promise<void> {
    const began = this.#world.now
    this.#beginActions(actions)
    let calm = began + Math.max(0, ...actions.map(({ at }) => at)) + 1_000
    if (!this.#options.reference) {
      for (const fault of faults) this.#suffer(began, fault)
      calm = Math.max(calm, this.#disturbance.begin(began, faults))
    }
    await this.#world.run(calm)
    this.#disturbance.end()
    await this.#settle()
  }

  /** The actions on one server are performed in order. Actions that were impossible in the reference are skipped. */
  #beginActions (actions: Phase['actions']): void {
    const { expected } = this.#options
    const began = this.#world.now
    const queues = new Map<string, Pending[]>()
    for (const [number, { at, action }] of actions.entries()) {
      const name = `${this.#rests.length}/${number}`
      if (expected && !expected.performed.has(name)) continue
      const key = 'server' in action ? action.server : name
      queues.set(key, [...(queues.get(key) ?? []), { name, at: began + at, action }])
    }
    this.#busyUsers += queues.size
    for (const queue of queues.values()) this.#try(queue)
  }

  /** Retries each second while the object does not exist yet. */
  #try ([next, ...rest]: readonly Pending[], patience = this.#options.reference ? 15 : Infinity): void {
    if (!next) {
      this.#busyUsers--
      return
    }
    this.#world.quietlyAt(next.at, () => {
      const outcome = act(this.#cluster, next.action)
      if (outcome === 'done') this.#trace(`user: ${JSON.stringify(next.action)}`)
      if (outcome === 'done') this.#noteDone(next)
      if (outcome === 'done' || patience === 0) this.#try(rest)
      else this.#try([{ ...next, at: this.#world.now + 1_000 }, ...rest], patience - 1)
    })
  }

  #noteDone ({ name, action }: Pending): void {
    this.#performed.add(name)
    if (action.does === 'install-percona') this.#noticedBy = this.#world.now + lookingAgain
    this.#restarts.note(action)
  }

  #suffer (began: number, fault: Fault): void {
    if (!('at' in fault)) return
    this.#world.at(began + fault.at, () => {
      this.#trace(`fault: ${JSON.stringify(fault)}`)
      this.#strike(fault)
    })
  }

  #strike (fault: Extract<Fault, { readonly at: number }>): void {
    if (fault.goes === 'compact') return this.#cluster.api.store.compact()
    if (fault.goes === 'watches') return this.#network.closeWatches(fault.how, { share: fault.share })
    const process = this.#processes[fault.process]
    if (!process) return
    switch (fault.goes) {
      case 'kill': return this.#kill(fault.process, fault.downFor)
      case 'stop': return this.#stop(fault.process, fault.downFor)
      case 'freeze': return process.machine.freeze(fault.lasts)
      case 'suspend': return process.machine.suspend(fault.lasts)
      case 'clock':
        process.machine.wallOffset += fault.by
    }
  }

  #kill (place: number, downFor: number): void {
    const process = this.#processes[place]
    if (!process) return
    this.#trace(`${process.name} is killed`)
    process.kill()
    this.#world.at(this.#world.now + downFor, () => { if (this.#processes[place] === process) this.#start(place) })
  }

  #stop (place: number, downFor: number): void {
    const process = this.#processes[place]
    // One that was killed comes back by itself.
    if (!process || process.isKilled) return
    this.#processes[place] = undefined
    void process.stop().then(() => { this.#world.at(this.#world.now + downFor, () => { this.#start(place) }) })
  }

  #killWriter (name: string): void {
    const place = this.#processes.findIndex(process => process?.name === name)
    if (place >= 0) this.#kill(place, 1_000)
  }

  async #settle (): Promise<void> {
    const { expected, reference } = this.#options
    const wanted = expected?.rests[this.#rests.length]
    const began = this.#world.now
    for (;;) {
      await this.#world.run(this.#world.now + 2_000)
      if (this.#invariants.violations.length > 0) return
      const resting = this.#world.now - Math.max(this.#invariants.lastWrite, began, this.#noticedBy)
      const isAsWanted = (found: Rest) => reference
        ? this.#busyUsers === 0 && (resting >= failingTime || !isFailing(this.#cluster))
        : wanted && unlike(wanted, found).length === 0
      if (resting >= restingTime) {
        const found = this.#rest()
        if (isAsWanted(found)) return await this.#judgeRest(found)
      }
      if (this.#world.now - began > longestRecovery) {
        const found = wanted ? unlike(wanted, this.#rest()).slice(0, 12) : ['it never comes to rest']
        return this.#invariants.violate(`not as it must be ${longestRecovery / 1000} s after the last fault:\n    ${found.join('\n    ')}`)
      }
    }
  }

  #rest (): Rest { return { snapshot: snapshotOf(this.#cluster), unrestarted: this.#restarts.unrestarted() } }

  async #judgeRest (found: Rest): Promise<void> {
    for (const fault of await faultsAtRest(this.#cluster)) this.#invariants.violate(`at rest: ${fault}`)
    if (this.#options.reference && this.#invariants.idleWrites > 0) this.#invariants.violate(`${this.#invariants.idleWrites} writes that change nothing`)
    this.#rests.push(found)
  }

  /** A process that remembers nothing finds nothing to do. */
  async #anew (): Promise<void> {
    for (const [place, process] of this.#processes.entries()) {
      process?.kill()
      this.#processes[place] = undefined
    }
    const { writes } = this.#invariants
    const { idleWrites } = this.#invariants
    this.#start(0)
    await this.#world.run(this.#world.now + 45_000)
    const more = this.#invariants.writes - writes
    if (more > 0) this.#invariants.violate(`a new process writes ${more} times, though everything was as it must be`)
    if (this.#invariants.idleWrites > idleWrites) this.#invariants.violate('a new process writes what is there already')
  }

  #trace (line: string): void { this.#options.trace?.(`${(this.#world.now / 1000).toFixed(3).padStart(9)} ${line}`) }
}
