import { childEdits } from './children.ts'
import { deletable, occupied, type Action } from './actions.ts'
import { Chance } from './random.ts'
import type { Fault, Scenario, TimedAction } from './scenario.ts'
import { changes, goSpecs, secretNames, secrets, serverNames, specs, structuralChanges, type ServerName } from './servers.ts'

// A scenario for every seed. Four consecutive seeds have the same user actions, so that they share one reference.

export const seedsPerStory = 4

const policies = ['Background', 'Foreground', 'Orphan'] as const
const index = (chance: Chance, list: readonly unknown[]) => chance.int(0, list.length - 1)

export function scenarioOf (seed: number): Scenario {
  const story = new Chance(Math.floor(seed / seedsPerStory) * 7919 + 1)
  const ills = new Chance(seed * 104_729 + 2)
  const base = {
    percona: story.happens(0.85),
    databaseAfter: story.pick([1, 1, 5, 12, -1]),
    ...storyOf(story),
  }
  return {
    seed,
    clocks: ills.pick([[1], [1, 1], [1, 1], [0.95, 1.05], [0.85, 1.15]]),
    percona: base.percona,
    ...(base.takenOver.length > 0 ? { takenOver: base.takenOver } : {}),
    databaseAfter: base.databaseAfter,
    phases: base.actions.map(actions => ({ actions, faults: faultsOf(ills) })),
  }
}

type Story = Required<Pick<Scenario, 'takenOver'>> & { readonly actions: readonly TimedAction[][] }

/** The user actions, phase by phase. */
function storyOf (chance: Chance): Story {
  const servers = serverNames.slice(0, chance.pick([1, 1, 2, 3]))
  const takenOver = servers.filter(() => chance.happens(0.12)).map(server => ({ server, spec: index(chance, goSpecs) }))
  const others = servers.filter(server => !takenOver.some(taken => taken.server === server))
  const isTaken = (action: Action) => 'server' in action && takenOver.some(({ server }) => server === action.server)
  const alive = new Set<ServerName>()
  const actions = Array.from({ length: chance.pick([1, 2, 2, 3]) }, (_, number) => {
    const actions: Action[] = number === 0 ? [...secretsOf(chance), ...others.flatMap((server): Action[] => birth(chance, server))] : []
    if (number === 0) for (const server of servers) alive.add(server)
    const more = chance.int(number === 0 ? 0 : 1, 5)
    for (let n = 0; n < more; n++) actions.push(...deed(chance, chance.pick(servers), alive))
    // A server that is being taken over is not changed, like one that is being created.
    return timed(chance, alone(actions).filter(action => number > 0 || !isTaken(action) || !['create', 'delete', 'restructure'].includes(action.does)))
  })
  return { takenOver, actions }
}

/** Most Secrets are there from the beginning. */
const secretsOf = (chance: Chance): Action[] => secretNames.filter(() => chance.happens(0.6))
  .map(secret => ({ does: 'secret', secret, state: chance.int(0, Math.max(0, (secrets[secret]?.length ?? 1) - 2)) }))

const birth = (chance: Chance, server: ServerName): Action[] => [
  ...(chance.happens(0.08) ? [{ does: 'occupy', server, child: index(chance, occupied) } as const] : []),
  { does: 'create', server, spec: index(chance, specs) },
]

const growth = changes.flatMap(({ storage }, number) => storage === undefined ? [] : [number])

type Draw = (chance: Chance, server: ServerName) => Action | Action[]

const deeds: readonly (readonly [number, Draw])[] = [
  [30, (chance, server) => ({ does: 'change', server, change: index(chance, changes) })],
  [10, (chance, server) => ({ does: 'change', server, change: chance.pick(growth) })],
  [8, (chance, server) => ({ does: 'restructure', server, change: index(chance, structuralChanges) })],
  [14, (chance, server) => ({ does: 'delete', server, policy: chance.pick(policies) })],
  [6, (chance, server) => [{ does: 'delete', server, policy: chance.pick(policies) }, { does: 'create', server, spec: index(chance, specs) }]],
  [14, chance => {
    const secret = chance.pick(secretNames)
    return { does: 'secret', secret, state: index(chance, secrets[secret] ?? []) }
  }],
  [12, (chance, server) => ({ does: 'delete-child', server, child: index(chance, deletable), policy: chance.pick(policies) })],
  [14, (chance, server) => ({ does: 'edit-child', server, edit: index(chance, childEdits) })],
  [4, chance => ({ does: 'class', name: chance.pick(['grows', 'stays', 'later'] as const), expandable: chance.happens(0.6) })],
  [2, () => ({ does: 'install-percona' })],
  [2, (chance, server) => ({ does: 'hold', server, held: chance.happens(0.5) })],
]
const weight = deeds.reduce((sum, [share]) => sum + share, 0)

function deed (chance: Chance, server: ServerName, alive: Set<ServerName>): Action[] {
  if (!alive.has(server)) {
    alive.add(server)
    return [{ does: 'create', server, spec: index(chance, specs) }]
  }
  let drawn = chance.next() * weight
  const [, draw] = deeds.find(([share]) => (drawn -= share) < 0) ?? deeds[0] ?? []
  const actions = [draw?.(chance, server) ?? []].flat()
  if (actions.at(-1)?.does === 'delete') alive.delete(server)
  return actions
}

/**
 * An action whose effect depends on the progress of the operator is the only action on its server in a phase: a server is created and
 * changed, or restructured, or deleted and possibly recreated.
 */
function alone (actions: readonly Action[]): Action[] {
  return actions.filter((action, number) => {
    if (dependsOnProgress(action, actions)) return false
    if (action.does === 'class') return actions.findLastIndex(other => other.does === 'class' && other.name === action.name) === number
    if (!('server' in action)) return true
    const { server } = action
    const own = actions.filter(other => 'server' in other && other.server === server)
    const first = own.find(({ does }) => does === 'create' || does === 'delete' || does === 'restructure')
    if (first?.does === 'restructure') return action === first
    if (first?.does === 'create') return action === first || !['create', 'delete', 'restructure'].includes(action.does)
    if (first?.does === 'delete') return action === first || action === actions.find((other, at) => at > actions.indexOf(first) && other.does === 'create' && other.server === server)
    return true
  })
}

/** Its effect would depend on whether the operator has already carried out another action of the phase. */
function dependsOnProgress (action: Action, actions: readonly Action[]): boolean {
  // Whether a volume may grow, and whether a pod is there for it, is settled before it is to grow. A new server may take over volumes.
  if (action.does === 'class') return !action.expandable && actions.some(({ does }) => does === 'create')
  if (action.does === 'change') return grows(action) && actions.some(other => other.does === 'class' || settlesVolumes(other, action.server))
  // A deletion may leave behind what the operator made last.
  return action.does === 'secret' && actions.some(other => other.does === 'delete' && other.policy === 'Orphan')
}

type Change = Action & { readonly does: 'change' }
const grows = ({ change }: Change) => changes[change]?.storage !== undefined
const settlesVolumes = (action: Action, server: ServerName) => 'server' in action && action.server === server &&
  (action.does === 'create' || (action.does === 'change' && changes[action.change]?.replicas !== undefined))

function timed (chance: Chance, actions: readonly Action[]): TimedAction[] {
  let at = 500
  return actions.map(action => {
    at += chance.int(0, 4_000)
    return { at, action }
  })
}

const resources = ['dittoservers', 'statefulsets', 'services', 'configmaps', 'secrets', 'persistentvolumeclaims', 'perconapgclusters'] as const

type Ill = (chance: Chance) => Fault

const window = (chance: Chance, longest: number) => {
  const from = chance.int(0, 15_000)
  return { from, to: from + chance.int(500, longest) }
}
const moment = (chance: Chance) => ({ at: chance.int(0, 20_000) })
const place = (chance: Chance) => ({ process: chance.int(0, 1) })

const ills: readonly (readonly [number, Ill])[] = [
  [20, chance => ({
    goes: 'weather',
    ...window(chance, 30_000),
    ...(chance.happens(0.5) ? place(chance) : {}),
    latency: chance.pick([50, 500, 3_000]),
    loss: chance.pick([0, 0.1, 0.3]),
    errors: chance.pick([0, 0.1, 0.3]),
  })],
  [6, chance => ({ goes: 'outage', ...window(chance, 20_000) })],
  [16, chance => ({ goes: 'stale', ...window(chance, 20_000), ...place(chance), resource: chance.pick(resources), lag: chance.pick([300, 2_000, 10_000]) })],
  [10, chance => ({ goes: 'watches', ...moment(chance), how: chance.pick(['end', 'break', 'expire', 'expire', 'break', 'silence'] as const), share: chance.pick([0.3, 1]) })],
  [6, chance => ({ goes: 'compact', ...moment(chance) })],
  [10, chance => ({ goes: 'kill', ...moment(chance), ...place(chance), downFor: chance.pick([100, 3_000, 30_000]) })],
  [4, chance => ({ goes: 'stop', ...moment(chance), ...place(chance), downFor: chance.pick([100, 3_000]) })],
  [5, chance => ({ goes: 'freeze', ...moment(chance), ...place(chance), lasts: chance.pick([3_000, 12_000, 40_000]) })],
  [5, chance => ({ goes: 'suspend', ...moment(chance), ...place(chance), lasts: chance.pick([3_000, 20_000, 60_000]) })],
  [2, chance => ({ goes: 'clock', ...moment(chance), ...place(chance), by: chance.pick([-3_600_000, 5_000, 3_600_000]) })],
  [34, chance => ({
    goes: 'write',
    number: chance.int(1, 30),
    fate: chance.pick(['lost', 'unanswered', 'timeout', 'gateway-timeout', 'conflict', 'error', 'kill-before', 'kill-after', 'kill-after', 'freeze', 'freeze', 'suspend'] as const),
  })],
]
const ill = ills.reduce((sum, [share]) => sum + share, 0)

function faultsOf (chance: Chance): Fault[] {
  const faults = Array.from({ length: chance.pick([0, 1, 2, 3, 4]) }, () => {
    let drawn = chance.next() * ill
    const [, draw] = ills.find(([share]) => (drawn -= share) < 0) ?? ills[0] ?? []
    return draw?.(chance) ?? { goes: 'compact', at: 0 } as const
  })
  // If both clocks of a machine say that no time has passed, the process cannot notice it.
  return faults.some(fault => fault.goes === 'suspend' || (fault.goes === 'write' && fault.fate === 'suspend')) ? faults.filter(fault => fault.goes !== 'clock' || fault.by > 0) : faults
}
