import { spawn } from 'node:child_process'
import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { executable } from '../../release/executable.ts'
import { version } from '../../src/version.ts'
import { samples } from '../command-line/program.ts'
import { eventually } from '../control-plane/control-plane.ts'
import { said } from './said.ts'

await t.test('a single executable, without an installed Node', async t => {
  const folder = t.testdir({})
  const [program, cwd] = [join(folder, 'dittofs-operator'), join(folder, 'empty')]
  await executable(program)
  await mkdir(cwd)
  await copyFile(join(samples, 'minimal.yaml'), join(cwd, 'minimal.yaml'))
  // Not by the `env` of a child, to which tap adds options for Node.
  const run = async (...args: readonly string[]) => await said('/usr/bin/env', ['-i', program, ...args], { cwd })
  t.strictSame(await run('--version'), { code: 0, stdout: `${version}\n`, stderr: '' })
  t.match(await run('check', '-f', '.'), { code: 0, stdout: '# minimal.yaml\ndittoserver.dittofs.dittofs.com/dittofs-minimal allowed\n' })
  t.match(await run('check', '-f', 'missing'), { code: 2, stderr: /^dittofs-operator: --filename: ENOENT/ })
  t.match(await run('doctor'), { code: 2, stderr: /^dittofs-operator: no cluster: give --kubeconfig FILE/ }, 'the client of the API server is in it')

  const child = spawn('/usr/bin/env', ['-i', program, 'serve', '--embedded', '.', '--port', '0', '--health-port', '0', '--ui-port', '0'], { cwd })
  t.teardown(() => { child.kill('SIGKILL') })
  let stdout = ''
  child.stdout.on('data', chunk => { stdout += String(chunk) })
  const url = await eventually(async () => /playground on (http:\S+)/.exec(stdout)?.[1], 'the playground', 30_000)
  const page = await (await fetch(url)).text()
  const [, script = ''] = /src="(\/assets\/[^"]+)"/.exec(page) ?? []
  t.match(await fetch(`${url}${script}`), { status: 200 }, 'the page of the playground is in it')
})
