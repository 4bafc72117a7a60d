import { ApiClient } from '../../src/cluster/api-client.ts'
import { startController } from '../../src/command-line/reconcile.ts'
import type { Metrics } from '../../src/metrics.ts'
import { unknown } from '../../src/rules/facts.ts'
import { parsePolicy } from '../../src/rules/policy.ts'
import { Machine, type MachineOptions } from './machine.ts'
import type { Network } from './network.ts'
import type { Chance } from './random.ts'
import type { World } from './world.ts'

export interface ProcessOptions {
  readonly name: string
  readonly world: World
  readonly network: Network
  readonly chance: Chance
  readonly machine: MachineOptions
  readonly log: (level: string, fields: unknown, message: string) => void
  /** It has ended itself because it lost leadership. */
  readonly onEnd: (cause: Error) => void
}

export const leaseNamespace = 'operator'
const policy = parsePolicy([])
/** The webhook's half of the program, which has its own watch on classes, has no part in the simulation. */
const notLookedUp = async () => await Promise.resolve(unknown('not part of the simulation'))

/** One process of the operator: controller, election and client as `serve` starts them, on a machine of the simulation. */
export class OperatorProcess {
  readonly name: string
  readonly machine: Machine
  readonly #network: Network
  readonly #client: ApiClient
  readonly #running: ReturnType<typeof startController>
  #isKilled = false

  constructor ({ name, world, network, chance, machine, log, onEnd }: ProcessOptions) {
    this.name = name
    this.#network = network
    this.machine = new Machine(world, machine)
    const { clock } = this.machine
    this.#client = new ApiClient({
      connection: { server: new URL('http://api'), requestOptions: async () => ({}), refresh: () => false },
      userAgent: 'dittofs-operator/simulation',
      exchange: network.exchange(name, this.machine),
      clock,
    })
    this.#running = startController({
      concurrency: 3, leaderElect: true, leaderElectionNamespace: leaseNamespace, leaderElectionId: 'dittofs-operator', secretAccess: 'watch',
    }, {
      log: logger(log),
      metrics: noMetrics,
      policy,
      client: this.#client,
      storageClass: notLookedUp,
      known: Promise.resolve(),
      clock,
      random: chance.next,
    })
    void this.#running.lost.catch((error: unknown) => {
      this.kill()
      onEnd(error as Error)
    })
  }

  get isKilled (): boolean { return this.#isKilled }

  /** SIGKILL: the process never runs again. Requests that it has sent may still arrive. */
  kill (): void {
    this.#isKilled = true
    this.machine.kill()
    this.#network.forget(this.name)
    this.#client.close()
  }

  /** SIGTERM. Resolves when it has ended. */
  async stop (): Promise<void> {
    await this.#running.stop()
    this.kill()
  }

  get controller () { return this.#running }
}

const logger = (log: ProcessOptions['log']) => {
  const at = (level: string) => (fields: unknown, message?: string) => { log(level, fields, message ?? String(fields)) }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } as never
}

/** The output is discarded. */
const noMetrics = {
  leading: () => {},
  watches: () => {},
  watchEvent: () => {},
  dittoServerChanged: () => {},
  queue: { depth: () => {}, added: () => {}, retried: () => {}, started: () => {}, finished: () => {} },
} as unknown as Metrics
