import t from 'tap'
import type { Clock } from '../../src/clock.ts'
import { defaultTiming } from '../../src/leader-election/leader-election.ts'
import type { Lease } from '../../src/leader-election/lease.ts'
import { Machine } from '../simulation/machine.ts'
import { World } from '../simulation/world.ts'
import { candidate, fair } from './candidate.ts'
import { SimulatedLease } from './simulation.ts'

/** One process that may lose its network, in its own world. */
function scene (lease = new SimulatedLease(), identity = 'a', random = 0.5) {
  const world = new World()
  const network = { ...fair, random: () => random }
  return { world, lease, network, ...candidate(world, lease, new Machine(world), identity, network) }
}

/** Every request is lost until the moment, which is true time in milliseconds. */
async function away ({ world, network }: Pick<ReturnType<typeof scene>, 'world' | 'network'>, until: number) {
  network.loss = 2
  await world.run(until)
  network.loss = 0
}

const never = () => new AbortController().signal

t.test('how long a follower waits', async t => {
  const cases: [what: string, spec: Lease['spec'] | null, seconds: number][] = [
    ['nothing is said', null, 0],
    ['nobody leads', {}, 0],
    ['the lead was given back', { holderIdentity: '', leaseDurationSeconds: 60 }, 0],
    ['it is its own', { holderIdentity: 'a', leaseDurationSeconds: 60 }, 0],
    ['another one leads', { holderIdentity: 'x' }, 15],
    ['another one says less', { holderIdentity: 'x', leaseDurationSeconds: 1 }, 15],
    ['another one says more', { holderIdentity: 'x', leaseDurationSeconds: 60 }, 60],
    // It asks every 2,020 ms: the fiftieth answer comes when 101 s are not over yet.
    ['another one says so much to the millisecond', { holderIdentity: 'x', leaseDurationSeconds: 101 }, 103],
  ]
  for (const [what, spec, seconds] of cases) {
    const { world, election } = scene(new SimulatedLease(spec))
    while (!election.isLeading() && world.now < 200_000) await world.run(world.now + 10)
    t.ok(world.now > seconds * 1000 && world.now < seconds * 1000 + (seconds === 0 ? 100 : 2_200), `${what}: ${world.now} ms`)
  }
})

t.test('a follower that misses an answer does not restart its wait', async t => {
  const follower = scene(new SimulatedLease({ holderIdentity: 'x' }))
  await follower.world.run(7_000)
  await away(follower, 10_000)
  await follower.world.run(17_500)
  t.ok(follower.election.isLeading())
  t.match(follower.said, [{ message: 'another process is the leader', leader: 'x' }, { identity: 'a', cause: 'connection reset' }])
})

t.test('the attempts of followers are spread', async t => {
  for (const [random, seconds] of [[0, 1.6], [0.5, 2], [0.999, 2.4]] as const) {
    const { world, lease } = scene(new SimulatedLease({ holderIdentity: 'x', leaseDurationSeconds: 1000 }), 'a', random)
    await world.run(100_000)
    t.ok(Math.abs(lease.requests - 100 / seconds) < 3, `${lease.requests} requests in 100 s`)
  }
})

t.test('a first request without an answer is aborted, and the next one succeeds', async t => {
  const { world, network, election } = scene()
  network.latency = 1e9
  await world.run(1_000)
  network.latency = 20
  await world.run(defaultTiming.renewDeadline + 1_500)
  t.notOk(election.isLeading())
  await world.run(defaultTiming.renewDeadline + 2_500)
  t.ok(election.isLeading())
})

t.test('holder, acquire time and number of transitions', async t => {
  const { world, lease, machine } = scene()
  await world.run(1_000)
  const { acquireTime, renewTime } = lease.lease?.spec ?? {}
  t.equal(acquireTime, renewTime)
  await world.run(20_000)
  t.match(lease.lease?.spec, { holderIdentity: 'a', leaseTransitions: 0, acquireTime })
  t.ok(String(lease.lease?.spec?.renewTime) > String(renewTime))
  const b = candidate(world, lease, new Machine(world), 'b')
  await world.run(30_000)
  machine.kill()
  await world.run(60_000)
  t.match(lease.lease?.spec, { holderIdentity: 'b', leaseTransitions: 1 })
  t.ok(String(lease.lease?.spec?.acquireTime) > String(acquireTime))
  t.match(b.said, [{ leader: 'a' }, { message: 'this process is the leader', identity: 'b' }])
  t.equal(b.said.length, 2, 'each of it once')
})

t.test('a renewal after a lost one changes neither the acquire time nor the transitions', async t => {
  const leader = scene(new SimulatedLease({ holderIdentity: '', leaseTransitions: 4 }))
  const { world, lease } = leader
  await world.run(1_000)
  const { acquireTime } = lease.lease?.spec ?? {}
  await away(leader, 5_000)
  await world.run(8_000)
  t.match(lease.lease?.spec, { holderIdentity: 'a', leaseTransitions: 5, acquireTime })
  t.strictSame([...new Set(leader.said.map(({ message }) => message))], ['this process is the leader', 'the Lease cannot be read or written'], 'it led all the time')
})

t.test('a Lease without a spec, with a lost next write', async t => {
  const leader = scene(new SimulatedLease(null))
  const { world, lease, election, said } = leader
  // The first answer comes after 20 ms, a renewal is sent two seconds after the one before.
  await world.run(15)
  await away(leader, 1_000)
  await world.run(4_000)
  t.ok(election.isLeading())
  await away(leader, 5_000)
  lease.empty()
  await world.run(6_070)
  await away(leader, 7_000)
  await world.run(40_000)
  t.ok(election.isLeading())
  t.strictSame(said.map(({ cause }) => cause), ['connection reset', undefined, 'connection reset', 'connection reset'])
})

t.test('an answered request leaves no timer', async t => {
  const world = new World()
  const machine = new Machine(world)
  let sleeping = 0
  const sleep: Clock['sleep'] = async (milliseconds, signal) => {
    sleeping++
    await machine.clock.sleep(milliseconds, signal)
    sleeping--
  }
  candidate(world, new SimulatedLease(), machine, 'a', fair, { ...machine.clock, sleep })
  await world.run(5_000)
  t.equal(sleeping, 1, 'until the next renewal')
})

t.test('leadership ends at the deadline, to the millisecond', async t => {
  const leader = scene()
  await leader.world.run(3_000)
  // It was read for 20 ms and then written, and written again two seconds later.
  const last = 20 + defaultTiming.retryPeriod
  await away(leader, last + defaultTiming.renewDeadline - 1)
  t.ok(leader.election.isLeading())
  t.notOk(leader.state.ended)
  await leader.world.run(last + defaultTiming.renewDeadline)
  t.notOk(leader.election.isLeading())
  t.ok(leader.state.ended)
})

t.test('refused renewals are not repeated immediately', async t => {
  const leader = scene()
  await leader.world.run(3_000)
  const before = leader.lease.requests
  await away(leader, 10_900)
  t.ok(leader.lease.requests - before <= 5, `${leader.lease.requests - before} requests in 8 s`)
})

t.test('a machine that is suspended during the answer does not count as the leader', async t => {
  const { world, machine, state, election } = scene()
  await world.run(25)
  machine.suspend(60_000)
  await world.run(60_100)
  t.notOk(state.wasLeading, 'what it was granted is over')
  await world.run(65_000)
  t.ok(election.isLeading())
})

t.test('requests that are aborted at a stop are not logged, and the process is still the leader', async t => {
  const { world, network, state, stop, said, election } = scene()
  await world.run(3_000)
  network.latency = 1e9
  await world.run(5_000)
  stop.abort()
  await world.run(5_001)
  t.ok(state.ended)
  t.ok(election.isLeading(), 'until the lead is given back')
  t.match(said, [{ message: 'this process is the leader', identity: 'a' }])
  t.equal(said.length, 1)
})

t.test('the wait for leadership ends with the signal', async t => {
  const { world, stop, running, lease } = scene(new SimulatedLease({ holderIdentity: 'x', leaseDurationSeconds: 1000 }))
  await world.run(3_000)
  stop.abort()
  await running
  const { requests } = lease
  await world.run(60_000)
  t.equal(lease.requests, requests)
})

t.test('leadership is released', async t => {
  const { world, lease, election, stop, said } = scene(new SimulatedLease({ holderIdentity: 'x', leaseTransitions: 6 }))
  await world.run(30_000)
  stop.abort()
  void election.release(never())
  await world.run(30_100)
  const { renewTime } = lease.lease?.spec ?? {}
  t.strictSame(lease.lease?.spec, { holderIdentity: '', leaseDurationSeconds: 1, acquireTime: renewTime, renewTime, leaseTransitions: 7 })
  t.match(said.at(-1), { message: 'leadership released', identity: 'a' })
  const { requests } = lease
  await election.release(never())
  t.equal(lease.requests, requests, 'it has nothing to give back now')
})

t.test('leadership is released after a renewal without an answer', async t => {
  const cases: [what: string, change: (lease: SimulatedLease) => void, holder: string | undefined][] = [
    ['still held', () => {}, ''],
    ['taken by another', lease => { lease.edit('x') }, 'x'],
    ['emptied', lease => { lease.empty() }, undefined],
    ['deleted', lease => { lease.lease = undefined }, undefined],
  ]
  for (const [what, change, holder] of cases) {
    const leader = scene()
    await leader.world.run(3_000)
    await away(leader, 5_000)
    leader.stop.abort()
    change(leader.lease)
    void leader.election.release(never())
    await leader.world.run(5_100)
    t.equal(leader.lease.lease?.spec?.holderIdentity, holder, what)
    t.notMatch(leader.said.at(-1), { message: 'leadership not released; the Lease expires by itself' }, what)
  }
})

t.test('a Lease that cannot be released expires', async t => {
  const leader = scene()
  await leader.world.run(3_000)
  leader.stop.abort()
  leader.network.loss = 2
  const released = leader.election.release(never())
  await leader.world.run(4_000)
  await released
  t.equal(leader.lease.lease?.spec?.holderIdentity, 'a')
  t.match(leader.said.at(-1), { message: 'leadership not released; the Lease expires by itself', cause: 'connection reset' })
})
