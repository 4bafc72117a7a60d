import { dirname } from 'node:path'
import { acquireBinaries, findBinaries } from './binaries.ts'

// Makes sure that a control plane is on this machine, ahead of the tests. Prints its folder.
const binaries = await findBinaries() ?? await acquireBinaries(line => process.stderr.write(`${line}\n`))
process.stdout.write(`${dirname(binaries['kube-apiserver'])}\n`)
