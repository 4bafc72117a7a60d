import t from 'tap'
import { staleFiles } from '../../src/manifests/generate.ts'

t.test('generated files are those that `npm run generate` would write', async t => {
  t.strictSame(await staleFiles(), [])
})
