import { ensureDevelopmentPair } from '../../src/tls/development-pair.ts'

// A process that needs the development pair of a folder, for a test that starts several of them at once.
const [, , folder = '', ...names] = process.argv
const { caPem } = await ensureDevelopmentPair(folder, names)
process.stdout.write(caPem)
