import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { binariesOrSkip } from '../control-plane/control-plane.ts'
import { nfsClientOrSkip, smbClientOrSkip } from '../counterparts/file-clients.ts'
import { counterpartsOrSkip } from '../counterparts/counterparts.ts'
import { commandsOf } from '../docs/commands.ts'
import { exceptionOf } from '../docs/not-run.ts'
import { ctrlC, environment, inTerminal, pathOf, root, startProcess } from '../sandbox/sandbox-process.ts'

// A reader of docs/first-server.md: every command is taken from the text and run in a sandbox, with the real server. Those that need a
// kernel client are in test/docs/not-run.ts: the page has another way beside each of them, and that is run.

const page = 'docs/first-server.md'
const sections = ['A cluster', 'A server', 'A share', 'A file', 'Without its pod', 'The end']

if (await binariesOrSkip(t, { controllerManager: true, scheduler: true }) &&
  await counterpartsOrSkip(t, ['dfs', 'dfsctl']) && await nfsClientOrSkip(t) && await smbClientOrSkip(t)) {
  t.setTimeout(900_000)
  await t.test(page, async t => {
    const all = commandsOf(page, await readFile(join(root, page), 'utf8')).filter(({ isAlternative, text }) => !isAlternative && !exceptionOf(text))
    t.strictSame([...new Set(all.map(({ section }) => section))], sections)
    const [first, ...commands] = all
    const sandbox = startProcess(t, inTerminal(first?.text ?? ''))
    const kubeconfig = join(await sandbox.folder(), 'kubeconfig')
    await sandbox.until(/Ctrl-C ends everything/)

    const home = await mkdtemp(join(tmpdir(), 'reader-'))
    t.teardown(async () => { await rm(home, { recursive: true, force: true }) })
    const env = { ...environment, HOME: home, KUBECONFIG: kubeconfig, PATH: pathOf(sandbox.said()) }
    for (const { line, text: command, output } of commands) {
      const child = spawn('bash', ['-o', 'pipefail', '-c', command], { cwd: home, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 400_000 })
      const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit') as Promise<[number | null]>])
      t.equal(code, 0, `${page}:${line}: ${command}`, { said: stdout + stderr })
      if (output !== undefined) t.equal(stdout.trim(), output.trim(), `${page}:${line}: what the page shows`)
    }
    sandbox.child.stdin.write(ctrlC)
    await sandbox.exited
    t.match(sandbox.said(), /stopped; nothing is left/)
  })
}
