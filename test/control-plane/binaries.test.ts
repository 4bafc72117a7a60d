import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { cacheFolder, controllerManager, corePrograms, findBinaries, optionalPrograms, scheduler } from './binaries.ts'

const all = [...corePrograms, ...optionalPrograms]
const within = (folder: string, names: readonly string[]) => Object.fromEntries(names.map(name => [name, join(folder, name)]))

function fill (folder: string, names: readonly string[]): string {
  mkdirSync(folder, { recursive: true })
  for (const name of names) writeFileSync(join(folder, name), '#!/bin/sh\n', { mode: 0o755 })
  return folder
}

/** An isolated search: an empty cache, and KUBEBUILDER_ASSETS with these programs. Both are restored afterwards. */
function place (t: Test, names?: readonly string[]) {
  const dir = t.testdir({})
  const before = { KUBEBUILDER_ASSETS: process.env.KUBEBUILDER_ASSETS, XDG_CACHE_HOME: process.env.XDG_CACHE_HOME }
  t.teardown(() => {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  })
  const assets = join(dir, 'assets')
  process.env.XDG_CACHE_HOME = join(dir, 'caches')
  process.env.KUBEBUILDER_ASSETS = assets
  if (names) fill(assets, names)
  return { assets, cache: cacheFolder() }
}

t.test('no programs anywhere', async t => {
  place(t)
  t.match(await findBinaries(), { unavailable: /^no etcd, kube-apiserver, kubectl: .*`npm run control-plane`.*KUBEBUILDER_ASSETS$/ })
  process.env.KUBEBUILDER_ASSETS = ''
  t.match(await findBinaries(), { unavailable: /^no etcd/ }, 'an empty variable is no folder, above all not the current one')
})

t.test('KUBEBUILDER_ASSETS as other tools fill it', async t => {
  const { assets, cache } = place(t, corePrograms)
  t.strictSame(await findBinaries(), within(assets, corePrograms))
  t.match(await findBinaries({ controllerManager: true }), { unavailable: /^no kube-controller-manager: / })
  t.match(await findBinaries({ scheduler: true }), { unavailable: /^no kube-scheduler: / })
  const both = { controllerManager: true, scheduler: true }
  t.match(await findBinaries(both), { unavailable: /^no kube-controller-manager, kube-scheduler: / })
  fill(cache, [...corePrograms, scheduler])
  t.match(await findBinaries(both), { unavailable: /^no kube-controller-manager: / })
  fill(cache, all)
  t.strictSame(await findBinaries(both), { ...within(assets, corePrograms), ...within(cache, optionalPrograms) })
})

t.test('it takes precedence over the cache', async t => {
  const { assets, cache } = place(t, all)
  fill(cache, all)
  t.strictSame(await findBinaries(), within(assets, all))
})

t.test('the core programs come from one folder, so that they have the same version', async t => {
  const { assets, cache } = place(t, ['kubectl', controllerManager])
  fill(cache, corePrograms)
  t.strictSame(await findBinaries(), { ...within(cache, corePrograms), ...within(assets, [controllerManager]) })
})

t.test('a file that is not executable does not count', async t => {
  const { assets, cache } = place(t, all)
  chmodSync(join(assets, 'etcd'), 0o644)
  t.match(await findBinaries(), { unavailable: /./ })
  fill(cache, all)
  t.strictSame(await findBinaries(), { ...within(cache, corePrograms), ...within(assets, optionalPrograms) })
})

t.test('the location of the cache', async t => {
  const { cache } = place(t)
  t.ok(cache.startsWith(process.env.XDG_CACHE_HOME ?? '-'))
  process.env.XDG_CACHE_HOME = ''
  t.ok(cacheFolder().startsWith(join(homedir(), '.cache')))
})
