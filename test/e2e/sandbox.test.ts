import { execFile } from 'node:child_process'
import { access, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { bundle, bundleSandbox } from '../../.config/bundle.ts'
import { binariesOrSkip, eventually } from '../control-plane/control-plane.ts'
import { findCounterparts } from '../counterparts/counterparts.ts'
import { commandsOf } from '../docs/commands.ts'
import { ctrlC, environment, inTerminal, pathOf, root, startProcess } from '../sandbox/sandbox-process.ts'

// The command `sandbox` as people use it: in a terminal, until Ctrl-C, and as a process that is ended in other ways.

const main = join(root, 'src/main.ts')

async function commandsOn (page: string, heading: string): Promise<string[]> {
  return commandsOf(page, await readFile(join(root, page), 'utf8')).filter(({ section }) => section === heading).map(({ text }) => text)
}

async function temporaryFolder (t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sandbox-test-'))
  t.teardown(async () => { await rm(folder, { recursive: true, force: true }) })
  return folder
}

/** The processes that have to do with a folder: on their command line, or as a mount. */
async function processesOf (folder: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
  const found = await Promise.all(pids.map(async pid => {
    const read = async (file: string) => await readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')
    const [command, mounts] = await Promise.all([read('cmdline'), read('mountinfo')])
    return command.includes(folder) || mounts.includes(folder) ? [basename(command.split('\0')[0] ?? '')] : []
  }))
  return found.flat().sort()
}

async function assertNothingLeft (t: Test, folder: string): Promise<void> {
  t.strictSame(await eventually(async () => {
    const left = await processesOf(folder)
    return left.length === 0 && left
  }, `no process of ${folder}`), [])
  await eventually(async () => await access(folder).then(() => false, () => true), `${folder} is removed`)
  t.notMatch(await readFile('/proc/mounts', 'utf8'), folder)
}

const binaries = await binariesOrSkip(t, { controllerManager: true, scheduler: true })
if (binaries) {
  const runsServers = !('unavailable' in await findCounterparts(['dfs', 'dfsctl']))
  t.setTimeout(900_000)
  const [fromClone = '', fromPackage = ''] = await commandsOn('docs/sandbox.md', 'Start')
  t.strictSame(await commandsOn('README.md', 'Sandbox'), [fromClone, fromPackage], 'both pages have the same commands')

  await t.test('in a terminal', async t => {
    const home = await temporaryFolder(t)
    const terminal = startProcess(t, inTerminal(fromClone))
    const folder = await terminal.folder()
    await terminal.until(/Ctrl-C ends everything/)
    const guide = terminal.said()
    t.match(guide, /✓ kube-apiserver +\d+\.\d s\n/)
    const [, playground = ''] = /^The playground, .*: (http:\S+)$/m.exec(guide) ?? []
    t.match(await (await fetch(playground)).text(), '<title>DittoServer playground</title>')

    const env = { ...environment, HOME: home, KUBECONFIG: join(folder, 'kubeconfig'), PATH: pathOf(guide) }
    const run = async (command: string) => await promisify(execFile)('bash', ['-c', command], { env, timeout: 200_000 })
      .then(({ stdout, stderr }) => ({ code: 0, said: stdout + stderr }), (error: { code: number, stdout: string, stderr: string }) =>
        ({ code: error.code, said: error.stdout + error.stderr }))
    const commands = [...guide.matchAll(/^ {3}(\S.*)$/gm)].map(([, command = '']) => command)
    t.ok(commands.length >= 5)
    for (const command of commands) {
      const { code, said } = await run(command)
      if (command.includes('mistakes')) t.match({ code, said }, { code: 1, said: /no such StorageClass; available: 'folders' \[SC-MISSING\]/ })
      else t.equal(code, 0, command, { said })
    }
    t.equal(/dfsctl login/.test(commands.join('\n')), runsServers, 'a server runs where there is one')
    if (runsServers) {
      await eventually(async () => (await run('kubectl get pod files-0 -o jsonpath={.status.phase}')).said === 'Running', 'the pod is back', 60_000)
    }
    const processes = await processesOf(folder)
    for (const program of ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'node', 'sh', ...runsServers ? ['dfs'] : []]) {
      t.ok(processes.includes(program), `${program} runs`, { processes })
    }

    terminal.child.stdin.write(ctrlC)
    t.strictSame(await terminal.exited, [130, null], 'npm reports Ctrl-C itself')
    t.match(terminal.said(), /stopping\nstopped; nothing is left\n/)
    await assertNothingLeft(t, folder)
  })

  await t.test('killed', async t => {
    const sandbox = startProcess(t, [process.execPath, main, 'sandbox', '--no-server'])
    const folder = await sandbox.folder()
    t.match(sandbox.said(), /No pod will run: --no-server was given\./)
    t.ok((await processesOf(folder)).length >= 5)
    sandbox.child.kill('SIGKILL')
    await sandbox.exited
    await assertNothingLeft(t, folder)
  })

  await t.test('ended while it starts', async t => {
    const folder = await temporaryFolder(t)
    const sandbox = startProcess(t, [process.execPath, main, 'sandbox', '--no-server'], { TMPDIR: folder })
    await sandbox.until(/✓ etcd/)
    t.not((await readdir(folder)).length, 0)
    sandbox.child.kill('SIGTERM')
    t.strictSame(await sandbox.exited, [0, null])
    t.strictSame(await eventually(async () => (await processesOf(folder)).length === 0 && readdir(folder), 'no process'), [])
  })

  await t.test('a program that does not start is named, with its last words', async t => {
    const assets = t.testdir({ 'kube-controller-manager': '#!/bin/sh\necho "unknown flag: --controllers" >&2\nexit 1\n' })
    await promisify(execFile)('chmod', ['+x', join(assets, 'kube-controller-manager')])
    const sandbox = startProcess(t, [process.execPath, main, 'sandbox'], { KUBEBUILDER_ASSETS: assets })
    t.strictSame(await sandbox.exited, [1, null])
    t.match(sandbox.said(), /✗ kube-controller-manager/)
    t.match(sandbox.said(), /unknown flag: --controllers\n/)
    t.match(sandbox.said(), /dittofs-operator: sandbox: kube-controller-manager: .*kube-controller-manager ended\n$/)
  })

  await t.test('an operator that does not start is named', async t => {
    const sandbox = startProcess(t, [process.execPath, main, 'sandbox', '--no-server', '--', '--log-level', 'loud'])
    t.strictSame(await sandbox.exited, [1, null])
    t.match(sandbox.said(), /--log-level[^]*dittofs-operator: sandbox: operator: \S+ ended\n$/)
  })

  await t.test('from the npm package, until its terminal is closed', async t => {
    const folder = await temporaryFolder(t)
    const program = join(folder, 'dittofs-operator.mjs')
    await bundle(program)
    await bundleSandbox(folder)
    // npx runs the program of the package that is installed.
    t.match(fromPackage, /^npx dittofs-operator /)
    const args = fromPackage.split(' ').slice(2)
    const sandbox = startProcess(t, [process.execPath, program, ...args])
    const files = await sandbox.folder()
    await sandbox.until(/Ctrl-C ends everything/)
    t.equal(sandbox.said().includes('listens on localhost'), runsServers)
    sandbox.child.kill('SIGHUP')
    t.strictSame(await sandbox.exited, [0, null])
    await assertNothingLeft(t, files)
  })
}
