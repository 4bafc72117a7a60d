import { dirname } from 'node:path'
import { acquireCounterparts } from './acquisition.ts'

// Makes sure that the counterparts are on this machine, ahead of the tests. Prints the folders that they are in.
const found = await acquireCounterparts(line => process.stderr.write(`${line}\n`))
if ('unavailable' in found) {
  process.stderr.write(`${found.unavailable}\n`)
  process.exitCode = 1
} else {
  process.stdout.write(`${[...new Set(Object.values(found).map(path => dirname(path)))].join('\n')}\n`)
}
