import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { acquireCounterparts } from './acquisition.ts'
import { allNames, counterpartsCache, findCounterparts, namesOf } from './counterparts.ts'
import type { ModuleName } from './counterparts.ts'

const within = (folder: string, names: readonly string[]) => Object.fromEntries(names.map(name => [name, join(folder, name)]))

function fill (folder: string, names: readonly string[]): string {
  mkdirSync(folder, { recursive: true })
  for (const name of names) writeFileSync(join(folder, name), '#!/bin/sh\n', { mode: name.endsWith('.yaml') ? 0o644 : 0o755 })
  return folder
}

const [percona, dittofs]: readonly ModuleName[] = ['percona-operator-2.9.0', 'dittofs-0.29.0'] as const

/** An isolated search: an empty cache, and COUNTERPARTS_ASSETS with these names. All variables are restored afterwards. */
function place (t: Test, names?: readonly string[]) {
  const dir = t.testdir({})
  const { COUNTERPARTS_ASSETS, XDG_CACHE_HOME, PATH } = process.env
  const before = { COUNTERPARTS_ASSETS, XDG_CACHE_HOME, PATH }
  t.teardown(() => {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  })
  const assets = join(dir, 'assets')
  process.env.XDG_CACHE_HOME = join(dir, 'caches')
  process.env.COUNTERPARTS_ASSETS = assets
  if (names) fill(assets, names)
  return { dir, assets, cache: (module: ModuleName) => join(counterpartsCache(), module) }
}

t.test('no programs anywhere', async t => {
  place(t)
  t.match(await findCounterparts(['dfs', 'dfsctl']), { unavailable: /^no dfs, dfsctl: .*`npm run counterparts`.*COUNTERPARTS_ASSETS$/ })
  process.env.COUNTERPARTS_ASSETS = ''
  t.match(await findCounterparts(allNames), { unavailable: /^no percona-operator, percona-crds.yaml, dfs, dfsctl/ })
})

t.test('only requested programs must exist', async t => {
  const { cache } = place(t)
  fill(cache(dittofs), ['dfsctl'])
  t.strictSame(await findCounterparts(['dfsctl']), within(cache(dittofs), ['dfsctl']))
  t.match(await findCounterparts(['dfs', 'dfsctl']), { unavailable: /^no dfs, dfsctl: / })
})

t.test('COUNTERPARTS_ASSETS takes precedence over the cache, for each module', async t => {
  const { assets, cache } = place(t, [...namesOf(percona), 'dfs'])
  for (const module of [percona, dittofs]) fill(cache(module), namesOf(module))
  t.strictSame(await findCounterparts(allNames), { ...within(assets, namesOf(percona)), ...within(cache(dittofs), namesOf(dittofs)) })
})

t.test('a program must be executable, but the CRDs are only read', async t => {
  const { assets } = place(t, namesOf(percona))
  t.strictSame(await findCounterparts(namesOf(percona)), within(assets, namesOf(percona)))
  chmodSync(join(assets, 'percona-operator'), 0o644)
  t.match(await findCounterparts(['percona-operator']), { unavailable: /^no percona-operator: / })
})

/** A fake `go` that writes the requested file, or ends with an error. */
function fakeGo (dir: string, build: string, main = 'options.HealthProbeBindAddress = ":8081"') {
  const source = join(dir, 'source')
  for (const folder of ['deploy', 'cmd/postgres-operator']) mkdirSync(join(source, folder), { recursive: true })
  writeFileSync(join(source, 'cmd/postgres-operator/main.go'), main)
  writeFileSync(join(source, 'deploy/crd.yaml'), 'kind: CustomResourceDefinition\n', { mode: 0o444 })
  const script = `#!/bin/sh
echo "$@" >> ${dir}/asked
case "$*" in
  mod*) echo '{"Dir": "${source}"}' ;;
  build*) folder=$3; while [ "$1" != -o ]; do shift; done; ${build} ;;
esac
`
  mkdirSync(join(dir, 'bin'))
  writeFileSync(join(dir, 'bin/go'), script, { mode: 0o755 })
  process.env.PATH = `${join(dir, 'bin')}:${process.env.PATH}`
}

t.test('missing programs are built once, also with concurrent callers', async t => {
  const { dir, cache } = place(t)
  fakeGo(dir, 'echo "#!/bin/sh" > "$2"; chmod 755 "$2"')
  const said: string[] = []
  const all = await Promise.all([1, 2, 3].map(async () => await acquireCounterparts(line => { said.push(line) })))
  for (const found of all) t.strictSame(found, { ...within(cache(percona), namesOf(percona)), ...within(cache(dittofs), namesOf(dittofs)) })
  t.equal(said.filter(line => line.startsWith('building')).length, 2)
  t.strictSame((await readdir(cache(percona))).sort(), [...namesOf(percona)].sort(), 'nothing else is left behind')
  t.strictSame((await readdir(counterpartsCache())).sort(), [dittofs, percona], 'nor a lock')
})

t.test('sources are patched for the build', async t => {
  const { dir, cache } = place(t)
  fakeGo(dir, 'echo "#!/bin/sh" > "$2"; chmod 755 "$2"; cat "$folder/cmd/postgres-operator/main.go" >> "$2"')
  await acquireCounterparts(() => {})
  t.equal(await readFile(join(cache(percona), 'percona-operator'), 'utf8'), '#!/bin/sh\noptions.HealthProbeBindAddress = "0"')
  t.equal(await readFile(join(cache(dittofs), 'dfs'), 'utf8'), '#!/bin/sh\noptions.HealthProbeBindAddress = ":8081"', 'others are not')
})

t.test('sources that the patch does not match are not built', async t => {
  const { dir } = place(t)
  fakeGo(dir, 'echo "#!/bin/sh" > "$2"; chmod 755 "$2"', 'options.HealthProbeBindAddress = flag')
  const said: string[] = []
  t.match(await acquireCounterparts(line => { said.push(line) }), { unavailable: /^no percona-operator, percona-crds.yaml: / })
  t.match(said.join('\n'), 'cmd/postgres-operator/main.go has \'HealthProbeBindAddress = ":8081"\' 0 times')
})

t.test('a failed build is reported, leaves no files, and does not affect tests that do not need it', async t => {
  const { dir, cache } = place(t)
  fill(cache(percona), namesOf(percona))
  fakeGo(dir, 'echo half > "$2"; exit 3')
  const said: string[] = []
  t.match(await acquireCounterparts(line => { said.push(line) }), { unavailable: /^no dfs, dfsctl: / })
  t.match(said.join('\n'), 'dittofs-0.29.0: go ended with 3')
  t.strictSame(await readdir(cache(dittofs)), [])
  t.match(await findCounterparts(namesOf(percona)), within(cache(percona), namesOf(percona)))
})

t.test('a machine without Go is reported', async t => {
  place(t)
  process.env.PATH = t.testdir({})
  const said: string[] = []
  t.match(await acquireCounterparts(line => { said.push(line) }), { unavailable: /^no percona-operator/ })
  t.match(said.join('\n'), /spawn go ENOENT/)
})
