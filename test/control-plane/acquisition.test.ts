import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { access, chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { acquireBinaries } from './acquisition.ts'
import { cacheFolder, controllerManager, corePrograms, findBinaries, kubernetesVersion, optionalPrograms, scheduler } from './binaries.ts'
import { freePort } from './free-port.ts'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

// Downloads from a mirror on this machine, which counts the requests.

delete process.env.KUBEBUILDER_ASSETS

const archive = `envtest-${kubernetesVersion}-${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}.tar.gz`
const hash = (algorithm: string, bytes: Buffer) => createHash(algorithm).update(bytes).digest('hex')

async function executable (path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, '#!/bin/sh\n')
  await chmod(path, 0o755)
  return path
}

async function mirror (t: Test, wrong: { readonly archive?: boolean, readonly program?: string } = {}) {
  const folder = t.testdir({})
  process.env.XDG_CACHE_HOME = join(folder, 'cache')
  for (const program of corePrograms) await executable(join(folder, 'controller-tools/envtest', program))
  await promisify(execFile)('tar', ['-czf', archive, 'controller-tools'], { cwd: folder })
  const packed = await readFile(join(folder, archive))
  const script = Buffer.from('#!/bin/sh\n')
  const asked: string[] = []
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    if (request.method === 'GET') asked.push(path)
    const { port } = server.address() as AddressInfo
    const entry = { hash: wrong.archive ? '0'.repeat(128) : hash('sha512', packed), selfLink: `http://127.0.0.1:${port}/${archive}` }
    if (path === '/index') response.end(JSON.stringify({ releases: { [kubernetesVersion]: { [archive]: entry } } }))
    else if (path === `/${archive}`) response.end(packed)
    else if (path.endsWith('.sha256')) response.end(path.endsWith(`/${wrong.program}.sha256`) ? '0'.repeat(64) : hash('sha256', script))
    else if (optionalPrograms.some(program => path.endsWith(`/${program}`))) response.end(script)
    else response.writeHead(404).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => { await promisify(server.close.bind(server))() })
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const said: string[] = []
  const acquire = async () => await acquireBinaries({
    build: false, say: line => { said.push(line) }, sources: { envtestIndex: `${base}/index`, kubernetes: base },
  })
  return { folder, asked, said, acquire, count: (ending: string) => asked.filter(path => path.endsWith(ending)).length }
}

t.test('all five are downloaded once, also with concurrent callers', async t => {
  const { acquire, count } = await mirror(t)
  const all = await Promise.all([acquire(), acquire(), acquire()])
  const expected = Object.fromEntries([...corePrograms, ...optionalPrograms].map(name => [name, join(cacheFolder(), name)]))
  for (const binaries of all) t.strictSame(binaries, expected)
  t.equal(count(archive), 1)
  for (const program of optionalPrograms) t.equal(count(`/${program}`), 1, program)
  t.strictSame((await readdir(cacheFolder())).sort(), [...corePrograms, ...optionalPrograms].sort(), 'nothing else is left behind')
  t.strictSame(await readdir(dirname(cacheFolder())), [kubernetesVersion], 'nor a lock')
})

t.test('an archive that does not match the index is refused', async t => {
  const { acquire, said } = await mirror(t, { archive: true })
  t.match(await acquire(), { unavailable: /^no etcd, kube-apiserver, kubectl: / })
  t.match(said.join('\n'), 'SHA-512 mismatch')
  await t.rejects(access(join(cacheFolder(), 'etcd')))
})

for (const program of optionalPrograms) {
  t.test(`a ${program} that is not what its checksum says is refused, and hinders no test that can do without`, async t => {
    const { acquire, said } = await mirror(t, { program })
    t.match(await acquire(), { unavailable: new RegExp(`^no ${program}: \`npm run control-plane\``) })
    t.match(said.join('\n'), 'SHA-256 mismatch')
    await t.rejects(access(join(cacheFolder(), program)))
    t.match(await findBinaries(), { etcd: join(cacheFolder(), 'etcd') })
    const other = program === scheduler ? { controllerManager: true } : { scheduler: true }
    t.match(await findBinaries(other), { etcd: join(cacheFolder(), 'etcd') })
  })
}

t.test('KUBEBUILDER_ASSETS takes precedence, and only missing programs are downloaded', async t => {
  const { folder, acquire, count } = await mirror(t)
  const assets = join(folder, 'controller-tools/envtest')
  process.env.KUBEBUILDER_ASSETS = assets
  t.teardown(() => { delete process.env.KUBEBUILDER_ASSETS })
  t.match(await acquire(), { etcd: join(assets, 'etcd'), [controllerManager]: join(cacheFolder(), controllerManager), [scheduler]: join(cacheFolder(), scheduler) })
  t.equal(count(archive), 0)
})

t.test('an unreachable mirror is reported in one line for each program', async t => {
  process.env.XDG_CACHE_HOME = t.testdir({})
  const said: string[] = []
  const nobody = `http://127.0.0.1:${await freePort()}`
  const sources = { envtestIndex: `${nobody}/index`, kubernetes: nobody }
  t.match(await acquireBinaries({ build: false, say: line => { said.push(line) }, sources }), { unavailable: /npm run control-plane/ })
  t.equal(said.length, 3)
  for (const line of said) t.match(line, 'cannot be reached')
})
