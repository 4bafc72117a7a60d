import { availableParallelism } from 'node:os'
import t from 'tap'
import { searchAll, told } from './plant-search.ts'
import { plants } from './plants.ts'

// The simulation can fail: each fault that is put into the operator is found, at once, by a seed that is known to find it.
// `npm run simulate -- --plant all` looks for such seeds.

/** Those without a seed are looked for on demand only: it takes many. */
const known = plants.filter(({ seed }) => seed !== undefined)
/** More than one, so that a change of the scenarios does not fail every plant. */
const most = Number(process.env.SIMULATION_PLANT_SEEDS ?? 16)

await t.test('every planted fault is found', { timeout: 1_200_000 }, async t => {
  await searchAll(known, most, Math.min(2, availableParallelism()), search => { t.ok(search.found, told(search)) })
})

t.ok(known.length >= 25, `${known.length} of ${plants.length} plants`)
