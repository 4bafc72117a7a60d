import t from 'tap'
import { defaultTiming, NotLeading } from '../../src/leader-election/leader-election.ts'
import { systemClock, type Clock } from '../../src/clock.ts'
import { Machine } from '../simulation/machine.ts'
import { Chance } from '../simulation/random.ts'
import { World } from '../simulation/world.ts'
import { candidate, fair } from './candidate.ts'
import { SimulatedLease } from './simulation.ts'

t.test('the first process becomes the leader, the others wait', async t => {
  const world = new World()
  const lease = new SimulatedLease()
  const [a, b] = [candidate(world, lease, new Machine(world), 'a'), candidate(world, lease, new Machine(world), 'b')]
  await world.run(60_000)
  t.strictSame([a, b].map(({ election }) => election.isLeading()).toSorted(), [false, true])
  const [leader, follower] = a.election.isLeading() ? [a, b] : [b, a]
  t.throws(() => follower.election.fence(), NotLeading)
  leader.election.fence()
  t.match(lease.lease?.spec, { leaseDurationSeconds: 15, leaseTransitions: 0, renewTime: /^\d{4}-.*\.\d{6}Z$/ })
  t.ok(lease.writes <= 31, `one request per renewal: ${lease.writes} in 60 s`)
})

t.test('a killed leader is replaced within 20 s', async t => {
  for (let seed = 1; seed <= 20; seed++) {
    const world = new World()
    const lease = new SimulatedLease()
    const weather = { ...fair, random: new Chance(seed).next }
    const a = candidate(world, lease, new Machine(world), 'a', weather)
    await world.run(3_000 + seed * 137)
    const b = candidate(world, lease, new Machine(world), 'b', weather)
    await world.run(30_000 + seed * 137)
    if (!a.election.isLeading()) t.fail('a leads')
    a.machine.kill()
    const killed = world.now
    while (!b.election.isLeading() && world.now < killed + 60_000) await world.run(world.now + 100)
    t.ok(world.now - killed <= 20_000, `${world.now - killed} ms`)
  }
})

t.test('a leader that releases the Lease is replaced at once', async t => {
  const world = new World()
  const lease = new SimulatedLease()
  const a = candidate(world, lease, new Machine(world), 'a')
  await world.run(5_000)
  const b = candidate(world, lease, new Machine(world), 'b')
  await world.run(10_000)
  a.stop.abort()
  void a.election.release(new AbortController().signal)
  t.throws(() => a.election.fence(), NotLeading, 'from the very moment')
  await world.run(13_000)
  t.ok(b.election.isLeading())
  t.match(lease.lease?.spec, { holderIdentity: 'b', leaseTransitions: 1 })
})

t.test('a leader without an API server stops in time, and reports it', async t => {
  const world = new World()
  const lease = new SimulatedLease()
  let loss = 0
  const a = candidate(world, lease, new Machine(world), 'a', { ...fair, get loss () { return loss } })
  await world.run(5_000)
  t.ok(a.election.isLeading())
  loss = 2
  await world.run(5_000 + defaultTiming.renewDeadline + 100)
  t.throws(() => a.election.fence(), NotLeading)
  t.ok(a.state.ended, 'a caller that waits for the loss of the lead is notified')
})

t.test('the loss is noticed even if a request is never answered', async t => {
  const world = new World()
  const lease = new SimulatedLease()
  let latency = 20
  const a = candidate(world, lease, new Machine(world), 'a', { ...fair, get latency () { return latency } })
  await world.run(5_000)
  t.ok(a.election.isLeading())
  latency = 1e9
  await world.run(5_000 + defaultTiming.renewDeadline + 100)
  t.ok(a.state.ended)
})

t.test('a single request that is never answered does not cost the leadership', async t => {
  for (const refused of [false, true]) {
    const world = new World()
    const lease = new SimulatedLease()
    let latency = 20
    let loss = 0
    const a = candidate(world, lease, new Machine(world), 'a', { ...fair, get latency () { return latency }, get loss () { return loss } })
    await world.run(5_000)
    if (refused) loss = 2
    else latency = 1e9
    // An API server that was suspended for four seconds: requests in that time are lost.
    await world.run(9_000)
    latency = 20
    loss = 0
    await world.run(60_000)
    t.ok(a.election.isLeading())
    t.notOk(a.state.ended)
    t.ok(lease.writes < 35, `${lease.writes} writes`)
  }
})

t.test('an API server that takes three seconds to answer is fast enough', async t => {
  const world = new World()
  const a = candidate(world, new SimulatedLease(), new Machine(world), 'a', { ...fair, latency: 3_000 })
  await world.run(120_000)
  t.ok(a.election.isLeading())
  t.notOk(a.state.ended)
})

t.test('a renewal that is refused because another process holds the Lease closes the fence at once', async t => {
  const world = new World()
  const lease = new SimulatedLease()
  const a = candidate(world, lease, new Machine(world), 'a')
  await world.run(5_000)
  a.election.fence()
  lease.edit('b')
  const { writes } = lease
  await world.run(5_000 + defaultTiming.retryPeriod + 100)
  t.throws(() => a.election.fence(), NotLeading, 'long before the deadline')
  t.ok(a.state.ended)
  t.equal(lease.writes, writes, 'and what the other wrote stands')
})

t.test('a leader that sees another holder stops, whatever its clock says', async t => {
  const world = new World()
  const lease = new SimulatedLease()
  let loss = 0
  const a = candidate(world, lease, new Machine(world), 'a', { ...fair, get loss () { return loss } })
  await world.run(5_000)
  // A renewal is lost, so that the next attempt reads first.
  loss = 2
  await world.run(7_000)
  loss = 0
  a.election.fence()
  lease.edit('b')
  await world.run(5_000 + 2 * defaultTiming.retryPeriod + 500)
  t.throws(() => a.election.fence(), NotLeading)
  t.ok(a.state.ended)
})

t.test('the leader keeps a Lease that another client has only touched', async t => {
  const world = new World()
  const lease = new SimulatedLease()
  const a = candidate(world, lease, new Machine(world), 'a')
  for (let second = 1; second < 60; second++) {
    await world.run(second * 1_000)
    if (second % 7 === 0) lease.edit()
  }
  a.election.fence()
  t.notOk(a.state.ended)
})

/** The fence of a leader at the moment at which its machine wakes up, two minutes later. Another one leads by then. */
async function fenceOnWaking (clockOf: (machine: Machine) => Clock) {
  const world = new World()
  const lease = new SimulatedLease()
  const machine = new Machine(world)
  const a = candidate(world, lease, machine, 'a', fair, clockOf(machine))
  await world.run(5_000)
  a.election.fence()
  const b = candidate(world, lease, new Machine(world), 'b')
  machine.suspend(120_000)
  await world.run(124_990)
  if (!b.election.isLeading()) throw new Error('b should lead')
  // No timer of the process runs in between: it now sends the write that it had prepared.
  await world.run(125_000)
  return a.election
}

t.test('a machine that was suspended does not write after it resumes', async t => {
  const election = await fenceOnWaking(machine => machine.clock)
  t.throws(() => election.fence(), NotLeading)
})

t.test('this test detects a leader that uses only its monotonic clock', async t => {
  const election = await fenceOnWaking(({ clock }) => ({ ...clock, wall: () => new Date(clock.monotonic()) }))
  election.fence()
  t.ok(election.isLeading())
})

t.test('a wall clock that is set back has no effect', async t => {
  const world = new World()
  const lease = new SimulatedLease()
  let loss = 0
  const a = candidate(world, lease, new Machine(world), 'a', { ...fair, get loss () { return loss } })
  await world.run(5_000)
  a.machine.wallOffset = -86_400_000
  await world.run(30_000)
  a.election.fence()
  loss = 2
  await world.run(30_000 + defaultTiming.renewDeadline + 100)
  t.throws(() => a.election.fence(), NotLeading)
})

t.test('a follower uses its monotonic clock: a wall clock that is set forward has no effect', async t => {
  const world = new World()
  const lease = new SimulatedLease()
  const a = candidate(world, lease, new Machine(world), 'a')
  await world.run(5_000)
  const b = candidate(world, lease, new Machine(world), 'b')
  await world.run(10_000)
  b.machine.wallOffset = 86_400_000
  await world.run(20_000)
  a.election.fence()
  t.notOk(b.election.isLeading())
})

t.test('a sleep leaves no listener on a long-lived signal', async t => {
  const listeners = new Set<unknown>()
  const { signal } = new AbortController()
  signal.addEventListener = (_type: string, listener: unknown) => { listeners.add(listener) }
  signal.removeEventListener = (_type: string, listener: unknown) => { listeners.delete(listener) }
  for (let n = 0; n < 3; n++) await systemClock.sleep(1, signal)
  t.equal(listeners.size, 0)
})
