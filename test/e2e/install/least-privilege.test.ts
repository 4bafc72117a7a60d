import t from 'tap'
import { testInstallation } from './installed.ts'

await t.test('overlays/least-privilege', async t => { await testInstallation(t, 'overlays/least-privilege', 'dittofs') })
