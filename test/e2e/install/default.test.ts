import t from 'tap'
import { testInstallation } from './installed.ts'

await t.test('default', async t => { await testInstallation(t, 'default', 'default') })
