import type { Phase, Scenario } from './scenario.ts'

/** The scenario without something, in every way, the most at once first. */
function * smaller (scenario: Scenario): Generator<Scenario> {
  const { phases, clocks } = scenario
  const withPhase = (number: number, phase: Phase) => ({ ...scenario, phases: phases.with(number, phase) })
  for (let number = phases.length - 1; number >= 0 && phases.length > 1; number--) {
    yield { ...scenario, phases: phases.toSpliced(number, 1) }
  }
  if (clocks.length > 1) yield { ...scenario, clocks: clocks.slice(0, 1) }
  for (const [number, phase] of phases.entries()) {
    if (phase.faults.length > 1) yield withPhase(number, { ...phase, faults: [] })
    for (let at = phase.faults.length - 1; at >= 0; at--) yield withPhase(number, { ...phase, faults: phase.faults.toSpliced(at, 1) })
    for (let at = phase.actions.length - 1; at >= 0; at--) yield withPhase(number, { ...phase, actions: phase.actions.toSpliced(at, 1) })
  }
  if (clocks.some(rate => rate !== 1)) yield { ...scenario, clocks: clocks.map(() => 1) }
  if (!scenario.percona) yield { ...scenario, percona: true }
  if (scenario.databaseAfter !== 1) yield { ...scenario, databaseAfter: 1 }
}

/** The smallest scenario found that still fails, by taking away one thing after the other for as long as there is time. */
export async function shrink (
  scenario: Scenario, fails: (scenario: Scenario) => Promise<boolean>, milliseconds: number,
): Promise<Scenario> {
  const deadline = performance.now() + milliseconds
  let least = scenario
  for (let again = true; again;) {
    again = false
    for (const candidate of smaller(least)) {
      if (performance.now() > deadline) return least
      if (!await fails(candidate)) continue
      least = candidate
      again = true
      break
    }
  }
  return least
}
