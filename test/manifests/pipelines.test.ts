import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { parse, stringify } from 'yaml'
import type { action, preCommitHooks } from '../../src/manifests/pipelines.ts'
import { version } from '../../src/version.ts'
import { serverOf } from '../e2e/kubectl-user.ts'

// The action of GitHub and the hook of pre-commit, run as those would run them. `npx` is a stand-in: it takes the package of this version
// from the sources, and refuses any other.

const root = fileURLToPath(new URL('../../', import.meta.url))
const generated = (name: string) => parse(readFileSync(join(root, name), 'utf8')) as unknown

const good = stringify(serverOf('good'))
const bad = stringify(serverOf('bad', { storage: { metadataSize: '0Gi' } }))

/** A repository with these files, and a PATH with the stand-in. */
async function repository (t: Test, files: Readonly<Record<string, string>>) {
  const npx = `#!/bin/sh
[ "$1 $2" = "--yes dittofs-operator@${version}" ] || { echo "npx: $*" >&2; exit 99; }
shift 2
NODE_OPTIONS= exec ${process.execPath} ${root}src/main.ts "$@"
`
  const folder = t.testdir({ bin: { npx }, repository: files, output: '' })
  await new Promise((resolve, reject) => { execFile('chmod', ['+x', join(folder, 'bin/npx')], error => { if (error) reject(error); else resolve(undefined) }) })
  const cwd = join(folder, 'repository')
  const bash = async (flags: readonly string[], script: string, env: Readonly<Record<string, string>> = {}) => {
    const { promise, resolve } = Promise.withResolvers<{ code: number, said: string }>()
    const environment = { PATH: [join(folder, 'bin'), process.env.PATH].join(delimiter), GITHUB_OUTPUT: join(folder, 'output'), ...env }
    execFile('bash', [...flags, '-c', script], { cwd, env: environment }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, said: stdout + stderr })
    })
    return await promise
  }
  return { cwd, bash, outputs: async () => await readFile(join(folder, 'output'), 'utf8') }
}

await t.test('the action', async t => {
  const { inputs, outputs, runs } = generated('action.yml') as ReturnType<typeof action>
  const [step] = runs.steps
  if (!step) throw new Error('no step')
  t.equal(runs.using, 'composite')

  /** With the flags of a runner, and the inputs in the place of the expressions. */
  const run = async (t: Test, files: Readonly<Record<string, string>>, given: Readonly<Record<string, string>>) => {
    const found = await repository(t, files)
    const env = Object.fromEntries(Object.entries(step.env).map(([name, expression]) => {
      const [, input = ''] = /^\$\{\{ inputs\.([a-z]+) \}\}$/.exec(expression) ?? []
      return [name, given[input] ?? (inputs as Record<string, { default: string }>)[input]?.default ?? '']
    }))
    const ran = await found.bash(['--noprofile', '--norc', '-e', '-o', 'pipefail'], step.run, env)
    const set = Object.fromEntries((await found.outputs()).trim().split('\n').map(line => line.split('=')))
    for (const name of Object.keys(set)) t.ok(Object.values(outputs).some(({ value }) => value === `\${{ steps.${step.id}.outputs.${name} }}`), `output ${name}`)
    const report = set.report === undefined ? undefined : await readFile(join(found.cwd, set.report), 'utf8')
    return { ...ran, outputs: set, report }
  }

  await t.test('every object is allowed', async t => {
    t.match(await run(t, { 'good.yaml': good }, {}), { code: 0, said: /good allowed/, outputs: { 'exit-code': '0' }, report: undefined })
  })
  await t.test('one is denied, and the report says where', async t => {
    const { code, said, outputs, report = '' } = await run(t, { 'good.yaml': good, 'bad.yaml': bad }, { format: 'sarif' })
    t.match({ code, said, outputs }, { code: 1, said: /SIZE-ZERO/, outputs: { 'exit-code': '1', report: 'dittofs-operator.sarif' } })
    const { runs: [{ results }] } = JSON.parse(report) as { runs: [{ results: { ruleId: string, locations: unknown }[] }] }
    t.match(results, [{ ruleId: 'SIZE-ZERO', locations: [{ physicalLocation: { artifactLocation: { uri: 'bad.yaml' } } }] }])
  })
  await t.test('several paths, more arguments, another file', async t => {
    const files = { 'a b.yaml': good, 'bad.yaml': bad, 'other.yaml': stringify(serverOf('other', { metrics: { enabled: true, port: 8080 } })) }
    const given = { path: 'a b.yaml\nother.yaml\n', arguments: '--warnings-as-errors\n--rule\nPORT-CONFLICT=warn', format: 'junit', output: 'report.xml' }
    const { code, outputs, report = '' } = await run(t, files, given)
    t.match({ code, outputs }, { code: 1, outputs: { report: 'report.xml' } })
    t.match(report, /^<\?xml[^]*tests="2"/)
    t.match(report, 'PORT-CONFLICT')
    t.notMatch(report, 'bad.yaml')
  })
  await t.test('nothing to check is not a success', async t => {
    t.match(await run(t, {}, { path: 'deploy' }), { code: 2, said: /deploy/, outputs: { 'exit-code': '2' } })
  })
})

await t.test('the hook of pre-commit', async t => {
  const [hook] = generated('.pre-commit-hooks.yaml') as ReturnType<typeof preCommitHooks>
  if (!hook) throw new Error('no hook')
  t.match(hook, { language: 'system', pass_filenames: false })
  for (const name of ['a.yaml', 'deploy/a.yml', 'a.json']) t.match(name, new RegExp(hook.files))
  t.notMatch('a.md', new RegExp(hook.files))
  const { cwd, bash } = await repository(t, { 'good.yaml': good })
  const run = async () => await bash([], [hook.entry, ...hook.args].join(' '))
  t.match(await run(), { code: 0, said: /good allowed/ })
  await writeFile(join(cwd, 'bad.yaml'), bad)
  t.match(await run(), { code: 1, said: /SIZE-ZERO/ })
})

await t.test('the page uses what there is, in this version', async t => {
  const page = await readFile(join(root, 'docs/pipelines.md'), 'utf8')
  t.strictSame([...new Set([...page.matchAll(/\bv(\d+\.\d+\.\d+)\b/g)].map(([, found]) => found))], [version])
  const blocks = [...page.matchAll(/```yaml\n([^]*?)```/g)].map(([, text = '']) => parse(text) as Record<string, unknown> | null)
  const { inputs } = generated('action.yml') as ReturnType<typeof action>
  const steps = blocks.flatMap(block => (block?.steps ?? []) as { uses: string, with?: object }[])
  const own = steps.find(({ uses }) => uses.startsWith('dittofs/dittofs-operator@'))
  t.strictSame(Object.keys(own?.with ?? {}).filter(name => !(name in inputs)), [])
  const rows = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name)
  t.strictSame(rows, Object.keys(inputs), 'every input is documented')
  const hooks = blocks.flatMap(block => (block?.repos ?? []) as { hooks: { id: string }[] }[]).flatMap(({ hooks }) => hooks)
  t.strictSame(hooks.map(({ id }) => id), [(generated('.pre-commit-hooks.yaml') as ReturnType<typeof preCommitHooks>)[0]?.id])
})
