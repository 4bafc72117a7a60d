import { dirname } from 'node:path'
import { acquireBinaries } from './acquisition.ts'

// Makes sure that a control plane is on this machine, ahead of the tests. Prints the folder, or folders, that it is in.
const binaries = await acquireBinaries({ build: true, say: line => process.stderr.write(`${line}\n`) })
if ('unavailable' in binaries) {
  process.stderr.write(`${binaries.unavailable}\n`)
  process.exitCode = 1
} else {
  process.stdout.write(`${[...new Set(Object.values(binaries).map(path => dirname(path)))].join('\n')}\n`)
}
