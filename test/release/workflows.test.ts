import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parse } from 'yaml'
import { programOrSkip } from '../control-plane/find-program.ts'
import { scopes } from '../mutation/scopes.ts'
import { said } from './said.ts'

// The workflows cannot run here. Their rules are checked, and steps that decide something are run with programs that only record how they
// were called.

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = join(root, '.github', 'workflows')

interface Step {
  readonly uses?: string
  readonly run?: string
  readonly with?: Readonly<Record<string, unknown>>
}
interface Job {
  readonly uses?: string
  readonly 'timeout-minutes'?: number
  readonly steps?: readonly Step[]
  readonly strategy?: { readonly matrix: Readonly<Record<string, readonly unknown[]>> }
}
interface Workflow {
  readonly permissions: Readonly<Record<string, string>>
  readonly defaults?: { readonly run: { readonly shell: string } }
  readonly jobs: Readonly<Record<string, Job>>
}

const texts = new Map(await Promise.all((await readdir(folder)).sort().map(async file =>
  [file, await readFile(join(folder, file), 'utf8')] as const)))
const workflow = (file: string) => parse(texts.get(file) ?? '') as Workflow
const all = [...texts.keys()].map(file => ({ file, ...workflow(file) }))
const stepsOf = ({ jobs }: Workflow) => Object.values(jobs).flatMap(({ steps = [] }) => steps)

await t.test('actions are pinned by commit, with their version, and each to one commit only', async t => {
  const pinned = new Map<string, Set<string>>()
  for (const [file, text] of texts) {
    for (const [, used = ''] of text.matchAll(/\buses: (.*)$/gm)) {
      if (used.startsWith('./')) continue
      t.match(used, /^[\w-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, file)
      const action = /^[\w-]+\/[\w-]+/.exec(used)?.[0] ?? ''
      pinned.set(action, (pinned.get(action) ?? new Set()).add(used.replace(/^[^@]*@/, '')))
    }
  }
  t.ok(pinned.size > 10)
  for (const [action, pins] of pinned) t.equal(pins.size, 1, action)
})

await t.test('images of the Dockerfile are pinned by digest', async t => {
  const dockerfile = await readFile(join(root, 'Dockerfile'), 'utf8')
  const images = [...dockerfile.matchAll(/^(?:# syntax=|FROM (?:--\S+ )?)(\S+)/gm)].map(([, image = '']) => image)
  t.equal(images.length, 3)
  for (const image of images) t.match(image, /^[a-z0-9./-]+:[\w.-]+@sha256:[0-9a-f]{64}$/)
})

await t.test('each workflow begins with no right but to read, and each job ends', async t => {
  for (const { file, permissions, jobs } of all) {
    t.strictSame(Object.entries(permissions).filter(([, right]) => right !== 'read'), [], file)
    for (const [name, job] of Object.entries(jobs)) t.ok(job.uses ?? job['timeout-minutes'], `${file}: ${name}`)
  }
})

await t.test('steps stop at the first failure, also within a pipe, and contain no text of others', async t => {
  for (const { file, defaults, ...rest } of all) {
    const runs = stepsOf({ ...rest }).flatMap(({ run }) => run ?? [])
    if (runs.length > 0) t.equal(defaults?.run.shell, 'bash', `${file}: without a name GitHub runs bash without pipefail`)
    // An expression in a script is pasted into it. In `env` it is only a value.
    for (const run of runs) t.notMatch(run, /\$\{\{/, file)
  }
})

await t.test('no checkout leaves its token behind, and no release uses a cache', async t => {
  for (const { file, ...rest } of all) {
    for (const { uses = '', with: inputs = {} } of stepsOf(rest)) {
      if (uses.startsWith('actions/checkout@')) t.equal(inputs['persist-credentials'], false, file)
      if (file === 'release.yml') t.notOk('cache' in inputs || uses.startsWith('actions/cache@'), `${file}: ${uses}`)
    }
  }
})

await t.test('the long runs have every scope of the mutation', async t => {
  t.strictSame(workflow('long.yml').jobs['mutation']?.strategy?.matrix['scope'], scopes.map(({ name }) => name))
})

type Texts = Readonly<Record<string, string>>

/** Runs a step as GitHub does. `programs`: by name, what they do after they have recorded their arguments. */
async function runStep ({ run = '' }: Step, env: Texts, programs: Texts) {
  const cwd = await mkdtemp(join(tmpdir(), 'step-'))
  t.teardown(async () => { await rm(cwd, { recursive: true, force: true }) })
  const bin = join(cwd, 'bin')
  for (const path of [bin, join(cwd, 'dist', 'release')]) await mkdir(path, { recursive: true })
  await writeFile(join(cwd, 'dist', 'release', 'SHA256SUMS'), '')
  await writeFile(join(cwd, 'calls'), '')
  for (const [name, does] of Object.entries(programs)) {
    await writeFile(join(bin, name), `#!/bin/sh\necho ${name} "$@" >> ${join(cwd, 'calls')}\n${does}\n`)
    await chmod(join(bin, name), 0o755)
  }
  const result = await said('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', run], { cwd, env: { PATH: `${bin}:/usr/bin:/bin`, ...env } })
  return { ...result, calls: (await readFile(join(cwd, 'calls'), 'utf8')).trim().split('\n').filter(Boolean) }
}

const stepWith = (file: string, job: string, text: string): Step => {
  const found = workflow(file).jobs[job]?.steps?.find(({ run = '' }) => run.includes(text))
  if (found === undefined) throw new Error(`${file}: no step of ${job} contains ${text}`)
  return found
}

await t.test('the chart is signed by the digest that the registry gave it', async t => {
  const step = stepWith('release.yml', 'publish', 'helm push')
  const env = { VERSION: 'v1.2.3', CHARTS: 'ghcr.io/Example/charts' }
  const digest = `sha256:${'0123456789abcdef'.repeat(4)}`
  // The two lines are the output of Helm 3 and 4.
  const pushed = `printf 'Pushed: ghcr.io/example/charts/dittofs-operator:1.2.3\\nDigest: ${digest}\\n' >&2`
  const good = await runStep(step, env, { helm: pushed, cosign: '' })
  t.equal(good.code, 0)
  t.strictSame(good.calls, [
    'helm push ./dist/release/dittofs-operator-chart-1.2.3.tgz oci://ghcr.io/example/charts',
    `cosign sign --yes ghcr.io/example/charts/dittofs-operator@${digest}`,
  ])
  const bad = await runStep(step, env, { helm: 'echo denied >&2; exit 1', cosign: '' })
  t.not(bad.code, 0)
  t.strictSame(bad.calls.filter(call => call.startsWith('cosign')), [], 'nothing is signed if the push failed')
})

await t.test('the npm package: the newest version by default, a pre-release under its own tag, and no version twice', async t => {
  const step = stepWith('release.yml', 'publish', 'npm publish')
  const absent = 'if [ "$1" = view ]; then exit 1; fi'
  const published = async (VERSION: string, npm: string) => {
    const { code, calls } = await runStep(step, { VERSION }, { npm })
    t.equal(code, 0)
    return calls.filter(call => call.startsWith('npm publish'))
  }
  t.strictSame(await published('v1.2.3', absent), ['npm publish --access public --provenance --tag latest ./dist/release/dittofs-operator-1.2.3.tgz'])
  t.strictSame(await published('v1.3.0-rc.1', absent), ['npm publish --access public --provenance --tag next ./dist/release/dittofs-operator-1.3.0-rc.1.tgz'])
  t.strictSame(await published('v1.2.3', 'if [ "$1" = view ]; then echo 1.2.3; fi'), [], 'an earlier attempt of this release published it')
  t.not((await runStep(step, { VERSION: 'v1.2.3' }, { npm: 'exit 1' })).code, 0)
})

await t.test('a release on GitHub, and a pre-release', async t => {
  const step = stepWith('release.yml', 'publish', 'gh release create')
  const created = async (VERSION: string) => {
    const { code, calls: [call = ''] } = await runStep(step, { VERSION }, { gh: '' })
    t.equal(code, 0)
    return call
  }
  const end = '--notes-file dist/release/CHANGES.md dist/release/SHA256SUMS'
  t.equal(await created('v1.2.3'), `gh release create v1.2.3 --verify-tag --title v1.2.3 ${end}`)
  t.equal(await created('v1.3.0-rc.1'), `gh release create v1.3.0-rc.1 --verify-tag --title v1.3.0-rc.1 --prerelease ${end}`)
})

await t.test('the jobs of the simulation have all seeds of a run once', async t => {
  const step = stepWith('long.yml', 'simulation', 'npm run simulate')
  const parts = workflow('long.yml').jobs['simulation']?.strategy?.matrix['part']?.length ?? 0
  const seedsOf = async (env: Texts) => {
    const ranges = await Promise.all(Array.from({ length: parts }, async (_, part) => {
      const { calls: [call = ''] } = await runStep(step, { PARTS: `${parts}`, PART: `${part}`, ...env }, { npm: '' })
      const [, seeds, first] = /^npm run simulate -- --seeds (\d+) --seed (\d+)$/.exec(call) ?? []
      return { first: Number(first), after: Number(first) + Number(seeds) }
    }))
    for (const [index, { after }] of ranges.slice(0, -1).entries()) t.equal(ranges[index + 1]?.first, after)
    return [ranges[0]?.first, (ranges.at(-1)?.after ?? 0) - 1]
  }
  t.ok(parts > 1)
  t.strictSame(await seedsOf({ SEEDS: '1000000', FIRST: '1', GITHUB_RUN_NUMBER: '7' }), [1, 1_000_000])
  t.strictSame(await seedsOf({ SEEDS: '1000000', FIRST: '', GITHUB_RUN_NUMBER: '7' }), [7_000_001, 8_000_000], 'other seeds in each run')
})

await t.test('actionlint', async t => {
  const actionlint = await programOrSkip(t, 'actionlint', 'no actionlint: put it on the PATH, or its path into the variable ACTIONLINT; .ci/run builds it')
  if (actionlint !== undefined) t.match(await said(actionlint, [], { cwd: root }), { code: 0, stdout: '' })
})
