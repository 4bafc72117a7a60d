import t from 'tap'
import { testInstallation } from './installed.ts'

await t.test('overlays/namespaced', async t => { await testInstallation(t, 'overlays/namespaced', 'dittofs') })
