import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, stat } from 'node:fs/promises'
import { delimiter, dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

// `npm test [files]`: runs tap and ends with one line `N passed, N failed` that counts assertions.

const root = fileURLToPath(new URL('..', import.meta.url))
const tap = fileURLToPath(new URL('../node_modules/.bin/tap', import.meta.url))

/** tap starts `node` by name; it must be the one that runs this. */
const env = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ''}` }

/** tap generates its test class from the list of plugins; on a fresh clone it would run once with the default ones. */
async function buildTap (): Promise<void> {
  const built = await readFile(`${root}.tap/plugins`, 'utf8').catch(() => '@tapjs/typescript')
  if (!built.includes('@tapjs/typescript') && await stat(`${root}node_modules/@tapjs/test-built/dist`).catch(() => undefined)) return
  const child = spawn(tap, ['build'], { cwd: root, env, stdio: ['ignore', 'ignore', 'inherit'] })
  const [code] = await once(child, 'exit') as [number | null]
  if (code !== 0) throw new Error(`tap build ended with ${code}`)
}

interface Summary { total: number, pass: number, fail: number, skip: number }

/** Prints a line for each file, and all that a file said if it failed or skipped something. */
async function runTap (files: readonly string[]): Promise<{ summary: Summary, code: number }> {
  const child = spawn(tap, ['run', '--disable-coverage', '--reporter=tap', ...files], { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] })
  const exit = once(child, 'exit') as Promise<[number | null]>
  const summary: Summary = { total: 0, pass: 0, fail: 0, skip: 0 }
  let block: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    block.push(line)
    const counts = /^# \{ (total: .*) \}$/.exec(line)?.[1]
    for (const [, key, value] of (counts ?? '').matchAll(/(\w+): (\d+)/g)) if (key && key in summary) summary[key as keyof Summary] = Number(value)
    if (/^(not )?ok \d/.test(line)) {
      if (line.startsWith('not ok')) process.stdout.write(`${block.join('\n')}\n`)
      else process.stdout.write(`${line.replace(/ # time=/, '  ')}\n${block.filter(said => /# SKIP/.test(said)).join('\n')}`.trimEnd() + '\n')
      block = []
    }
  }
  const [code] = await exit
  return { summary, code: code ?? 1 }
}

await buildTap()
const { summary: { pass, fail, skip, total }, code } = await runTap(process.argv.slice(2))
const failed = fail > 0 ? fail : code === 0 && total > 0 ? 0 : 1
process.stdout.write(`${pass} passed, ${failed} failed${skip > 0 ? `, ${skip} skipped` : ''}\n`)
process.exitCode = failed === 0 ? 0 : 1
