import { execFile } from 'node:child_process'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { samples } from './program.ts'

await t.test('npm run operator resolves paths from the folder where it was started', async t => {
  const cwd = t.testdir({})
  await copyFile(join(samples, 'minimal.yaml'), join(cwd, 'mine.yaml'))
  const root = fileURLToPath(new URL('../..', import.meta.url))
  // A variable of the npm that runs the tests; a new one would keep it.
  const { INIT_CWD: _, ...env } = process.env
  const { stdout } = await promisify(execFile)('npm', ['run', '--silent', '--prefix', root, 'operator', '--', 'check', '-f', 'mine.yaml'], { cwd, env })
  t.match(stdout, /^# mine\.yaml\n\S+ allowed\n$/)
})
