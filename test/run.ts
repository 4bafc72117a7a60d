import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { delimiter, dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { acquireBinaries } from './control-plane/acquisition.ts'

// `npm test [-- files]`: runs tap and ends with one line `N passed, N failed` that counts assertions.

const root = fileURLToPath(new URL('..', import.meta.url))
const tap = fileURLToPath(new URL('../node_modules/.bin/tap', import.meta.url))

/** tap starts `node` by name; it must be the Node that runs this. */
const env = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ''}` }

/**
 * tap generates its test class from its plugins. If it was not generated for those in `.taprc`, the first run would still start the tests
 * with the loaders of the default plugins, which include TypeScript; `.taprc` excludes it.
 */
async function buildTap (): Promise<void> {
  const generated = createRequire(import.meta.resolve('tap')).resolve('@tapjs/test/built')
  if (!(await readFile(generated, 'utf8')).includes('@tapjs/typescript')) return
  const child = spawn(tap, ['build'], { cwd: root, env, stdio: ['ignore', 'ignore', 'inherit'] })
  const [code] = await once(child, 'exit') as [number | null]
  if (code !== 0) throw new Error(`tap build ended with ${code}`)
}

interface Summary { pass: number, fail: number, skip: number }

/**
 * Prints a line for each file, with the measurements of its tests. Prints all failures of a failed file, and the reason for each skipped
 * test.
 */
async function runTap (files: readonly string[]): Promise<Summary & { code: number }> {
  const child = spawn(tap, ['run', '--disable-coverage', '--reporter=tap', ...files], { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] })
  const exit = once(child, 'exit') as Promise<[number | null]>
  const summary: Summary = { pass: 0, fail: 0, skip: 0 }
  let block: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    block.push(line)
    const counts = /^# \{ (total: .*) \}$/.exec(line)?.[1] ?? ''
    for (const [, key, value] of counts.matchAll(/(\w+): (\d+)/g)) {
      if (key === 'pass' || key === 'fail' || key === 'skip') summary[key] = Number(value)
    }
    if (!/^(not )?ok \d/.test(line)) continue
    process.stdout.write(`${(line.startsWith('ok') ? short(block) : withoutPassed(block)).join('\n')}\n`)
    block = []
  }
  const [code] = await exit
  // The text after the last file: the details of its failure, or an error of tap itself.
  if (code !== 0) process.stdout.write(`${block.join('\n')}\n`)
  return { ...summary, code: code ?? 1 }
}

const isSkipped = (line: string) => /^\s+(not )?ok \d.*# SKIP/.test(line)
const withoutPassed = (block: readonly string[]) => block.filter(line => line.trim() !== '' && (isSkipped(line) || !/^\s+ok \d/.test(line)))
const isFigure = (line: string) => /^\s+# (?!Subtest: |time=)/.test(line)
const short = (block: readonly string[]) =>
  [...block.slice(-1).map(line => line.replace(' # time=', '  ')), ...block.filter(line => isSkipped(line) || isFigure(line))]

await buildTap()
// Without a control plane its tests are skipped, each saying so; in CI it was acquired ahead.
await acquireBinaries({ build: false, say: line => process.stderr.write(`control plane: ${line}\n`) })
const { pass, fail, skip, code } = await runTap(process.argv.slice(2))
// Zero tests are not a success, and neither are passed tests in a failed process.
const failed = code === 0 && pass > 0 ? fail : Math.max(fail, 1)
process.stdout.write(`${pass} passed, ${failed} failed${skip > 0 ? `, ${skip} skipped` : ''}\n`)
process.exitCode = failed === 0 ? 0 : 1
