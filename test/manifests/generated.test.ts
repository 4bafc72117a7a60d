import t from 'tap'
import { staleFiles } from '../../src/manifests/generate.ts'

t.test('generated files are up to date', async t => {
  t.strictSame(await staleFiles(), [])
})
