import t from 'tap'
import { Machine } from '../simulation/machine.ts'
import { Chance } from '../simulation/random.ts'
import { World } from '../simulation/world.ts'
import { candidate } from './candidate.ts'
import { SimulatedLease } from './simulation.ts'

/** Three processes that are restarted in turn, on a bad network, on machines that are suspended at times. Returns the history. */
async function scenario (seed: number, rates: readonly number[]) {
  const random = new Chance(seed).next
  const world = new World()
  const lease = new SimulatedLease()
  const weather = { random, latency: 200 + random() * 3_000, loss: random() * 0.3 }
  const start = (number: number) => {
    const machine = new Machine(world, {
      rate: rates[number % rates.length] ?? 1, origin: random() * 1e9, wallOffset: (random() - 0.5) * 1e12,
    })
    return candidate(world, lease, machine, `${number}`, weather)
  }
  let count = 3
  let processes = [start(0), start(1), start(2)]
  let [together, led] = [0, 0]
  while (world.now < 400_000) {
    await world.run(world.now + 250)
    const leading = processes.filter(({ election, machine }) => !machine.isStill && election.isLeading()).length
    if (leading > 1) together++
    if (leading === 1) led++
    for (const { machine } of processes) {
      if (random() < 0.002) machine.freeze(random() * 40_000)
      if (random() < 0.001) machine.suspend(random() * 40_000)
      // A clock that is set forward ends the leadership needlessly, so this is rare.
      if (random() < 0.001) machine.wallOffset = (random() - 0.5) * 1e12
    }
    // A label, say: no reason to lose the lead.
    if (random() < 0.002) lease.edit()
    // A process that has lost leadership ends, and another one replaces it; sometimes one is killed.
    processes = processes.map(old => {
      if (!old.state.ended && random() >= 0.002) return old
      old.stop.abort()
      old.machine.kill()
      return start(count++)
    })
  }
  for (const { stop } of processes) stop.abort()
  return { together, led, processes: count }
}

t.test('never two leaders, whatever happens to clocks, network and machines', async t => {
  let led = 0
  let processes = 0
  for (let seed = 1; seed <= 100; seed++) {
    const random = new Chance(seed + 10_000).next
    const rates = [0.85 + random() * 0.3, 0.85 + random() * 0.3, 0.85 + random() * 0.3]
    const outcome = await scenario(seed, rates)
    if (outcome.together > 0) t.fail(`seed ${seed}: two led at once`, outcome)
    led += outcome.led
    processes += outcome.processes
  }
  const share = led / (100 * 400_000 / 250)
  t.ok(share > 0.3, `100 scenarios of 400 s, ${processes} processes; somebody led ${(share * 100).toFixed(0)} % of the time`)
})

t.test('this test detects clocks that drift further than the deadlines allow', async t => {
  let together = 0
  for (let seed = 1; seed <= 20; seed++) together += (await scenario(seed, [0.4, 1.6])).together
  t.ok(together > 0, `two led at once at ${together} moments`)
})
