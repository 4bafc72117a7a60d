import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { chmod, cp, readFile, readdir, stat } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { companions } from '../../.config/bundle.ts'
import { pageFolder } from '../../.config/playground-page.ts'
import { deployment } from '../../src/manifests/install/deployment.ts'
import { defaultInstallation } from '../../src/manifests/install/installation.ts'
import { version } from '../../src/version.ts'
import { binariesOrSkip, eventually, freePort, startControlPlane } from '../control-plane/control-plane.ts'
import { reviewOf } from '../e2e/direct-review.ts'
import { grantRights, serviceAccountFlags } from '../e2e/installation.ts'
import { kubectlUser, serverOf } from '../e2e/kubectl-user.ts'
import { issue } from '../tls/certificates.ts'
import { said } from '../release/said.ts'
import { buildImage, nobody } from './image.ts'
import { samples } from './program.ts'

// The one file that the image carries, run with no more than the image and the Deployment give it.

const manifests = new URL('../../manifests/', import.meta.url)
const read = async (path: string) => await readFile(new URL(`../../${path}`, import.meta.url), 'utf8')

/** Megabytes; 3.46 today. The usual way to exceed it is a dependency that brings another one of its kind. */
const sizeLimit = 3.5

await t.test('the image', async t => {
  const image = await buildImage(t)

  await t.test('one file that needs only Node', async t => {
    const { size } = await stat(image.program)
    t.ok(size / 1e6 < sizeLimit, `${(size / 1e6).toFixed(2)} MB`)
    // With the lines of all dependencies it has 3.6 MB, and Node keeps twenty times that.
    t.ok((await stat(`${image.program}.map`)).size < 1e6, 'the source map')
    t.match(image.said, /dittofs-operator\.mjs \d+\.\d MB, of \d+ packages/)
    const code = await readFile(image.program, 'utf8')
    const modules = [
      /(?:^|;)import(?:[\s{*][^;"'()]*\bfrom)? ?["']([^"'\n]+)["'];/gm,
      /\b__require\d*\("([^"\n]+)"\)/g,
      /(?<![.\w])import\("([^"\n]+)"\)/g,
    ].map(pattern => [...code.matchAll(pattern)].map(([, name = '']) => name))
    t.ok(modules[0]?.includes('node:module') && modules[1]?.includes('node:https'), 'both sorts of imports are found')
    t.strictSame(modules.flat().filter(name => !isBuiltin(name)), ['./sandbox/index.mjs'], 'the sandbox is the only thing apart')
    t.match(await image.run(['sandbox']), { code: 1, stderr: /^dittofs-operator: the sandbox is not a part of this program: use `npx / })
  })

  await t.test('the commands', async t => {
    t.match(await image.run(['--version']), { code: 0, stdout: `${version}\n`, stderr: '' })
    t.match(await image.run(['--help']), { code: 0, stdout: /^Usage: /, stderr: '' })
    t.match(await image.run(['doctor'], '', ['--allow-fs-read=*']), { code: 2, stderr: /^dittofs-operator: no cluster: give --kubeconfig FILE/ }, 'a user without a home')
    const sample = await readFile(join(samples, 'minimal.yaml'), 'utf8')
    t.match(await image.run(['check', '-f', '-'], sample), { code: 0, stdout: / allowed\n$/ })
    const mistaken = sample.replace(/metadataSize: .*/, 'metadataSize: 0Gi')
    t.match(await image.run(['check', '-f', '-'], mistaken), { code: 1, stdout: /spec\.storage\.metadataSize: .*\[SIZE-ZERO\]/ })
  })

  await t.test('stack traces show the source files', async t => {
    const broken = 'data:text/javascript,process.stdout.write=undefined'
    const { stderr } = await image.run(['check', '-f', '-'], 'a: 1', ['--import', broken])
    t.match(stderr, /TypeError: .* is not a function\n +at .*\(\S*src\/command-line\/terminal\.ts:\d+:\d+\)/)
  })

  await t.test('the command name works, as in kubectl exec', async t => {
    const launcher = /^COPY --chmod=755 <<EOF \/usr\/local\/bin\/dittofs-operator\n(.*?)^EOF$/ms.exec(await read('Dockerfile'))?.[1] ?? ''
    const path = await image.provide('bin/dittofs-operator', launcher.replace('/nodejs/bin/node', process.execPath).replace('/app/', `${dirname(image.program)}/`))
    await chmod(path, 0o755)
    const { stdout } = await promisify(execFile)(path, ['--version'], { env: {} })
    t.equal(stdout, `${version}\n`)
  })

  await t.test('no other file is readable', async t => {
    const path = await image.provide('other.yaml', 'a: b')
    t.match(await image.run(['check', '-f', path]), { code: 2, stderr: /Access to this API has been restricted/ })
  })

  await t.test('the page of the playground', async t => {
    const folder = dirname(await image.provide('samples/minimal.yaml', await readFile(join(samples, 'minimal.yaml'), 'utf8')))
    const pair = await issue()
    const tls = dirname(await image.provide('pair/tls.crt', pair['tls.crt']))
    for (const name of ['tls.key', 'ca.crt'] as const) await image.provide(`pair/${name}`, pair[name])
    const args = ['serve', '--embedded', folder, '--tls-dir', tls, '--port', '0', '--health-port', '0', '--ui-port', '0']
    const child = image.start(args, [folder, tls, join(dirname(image.program), pageFolder)])
    t.teardown(() => { child.kill('SIGKILL') })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', chunk => { stdout += String(chunk) })
    child.stderr.on('data', chunk => { stderr += String(chunk) })
    const url = await eventually(async () => /playground on (http:\S+)/.exec(stdout)?.[1], 'the address', 30_000)
      .catch((error: unknown) => { throw new Error(`${String(error)}: ${stderr}`) })
    const page = await (await fetch(url)).text()
    const assets = [...page.matchAll(/"(\/assets\/[^"]+)"/g)].map(([, path = '']) => path)
    t.ok(assets.length >= 3)
    for (const path of assets) t.equal((await fetch(`${url}${path}`)).status, 200, path)
    t.equal((await fetch(`${url}/assets/nothing.js`)).status, 404)
    t.match(await (await fetch(`${url}/schema.json`)).json(), { properties: { spec: { properties: { nfsPort: { default: 12049 } } } } })
    const headers = { 'content-type': 'application/json' }
    const tried = await fetch(`${url}/api/try`, { method: 'POST', headers, body: JSON.stringify({ text: await readFile(join(samples, 'minimal.yaml'), 'utf8'), pane: 'effects' }) })
    t.match(await tried.json(), { servers: [{ allowed: true }] })
    t.notMatch(stderr, /ERR_ACCESS_DENIED/)
  })

  await t.test('as a server', async t => {
    const binaries = await binariesOrSkip(t)
    if (!binaries) return
    const file = (name: string) => new URL(name, manifests).pathname
    const plane = await startControlPlane(t, binaries, { crds: [file('crd.yaml')], webhooks: [file('webhooks.yaml')] })
    const { webhook } = plane
    if (!webhook) throw new Error('no webhook')
    await grantRights(plane)
    const flags = await serviceAccountFlags(plane)
    const kubeconfig = await image.provide('kubeconfig', await readable(flags[1] ?? ''))
    const tls = dirname(await image.provide('tls/tls.crt', webhook.certPem))
    await image.provide('tls/tls.key', webhook.keyPem)
    const before = await everythingIn(image.root)
    const healthPort = await freePort()
    const args = ['serve', '--cert-mode', 'files', '--tls-dir', tls, '--port', String(webhook.port),
      '--health-port', String(healthPort), '--drain-period', '0', ...flags.slice(2)]
    const child = image.start([...args, '--kubeconfig', kubeconfig], [kubeconfig, tls])
    const exited = once(child, 'exit')
    let stderr = ''
    child.stderr.on('data', chunk => { stderr += String(chunk) })
    t.teardown(() => { child.kill('SIGKILL') })
    const status = async () => await fetch(`http://127.0.0.1:${healthPort}/readyz`).then(response => response.status, () => 0)
    await eventually(async () => await status() === 200, 'ready', 30_000).catch((error: unknown) => { throw new Error(`${String(error)}: ${stderr}`) })

    if (process.getuid?.() === 0) t.match(await readFile(`/proc/${child.pid}/status`, 'utf8'), new RegExp(`^Uid:\\s+${nobody}\\s+${nobody}\\s`, 'm'))
    t.match(await reviewOf(webhook, { storage: { metadataSize: '10Gi' } }, '10s'), { allowed: true })
    t.match(await reviewOf(webhook, { storage: { metadataSize: '0Gi' } }, '10s'), { allowed: false })
    const { apply, awaitObject } = kubectlUser(plane)
    await apply(serverOf('demo'))
    await awaitObject('statefulset', 'demo', () => true, 'made')
    // An API server that has just got a CRD may answer 429 for a moment; that is waited for, and said.
    const lines = stderr.split('\n').filter(line => !line.includes('storage is (re)initializing'))
    t.notMatch(lines.join('\n'), /ERR_ACCESS_DENIED|"level":"(error|warn|fatal)"/)

    await t.test('stack traces show the source files', async t => {
      await plane.killApiServer()
      await eventually(async () => /src\/cluster\/[\w-]+\.ts:\d+:\d+/.test(stderr), 'a stack trace', 20_000)
      t.notMatch(stderr, /dittofs-operator\.mjs:\d/)
    })

    // Without the API server too, and before its lead is over: then it would end by itself.
    child.kill('SIGTERM')
    t.strictSame(await exited, [0, null])
    t.strictSame(await everythingIn(image.root), before, 'nothing is written')
    t.notMatch(stderr, /the playground is served/, 'there is none unless it is asked for')
  })
})

const dockerfile = await read('Dockerfile')
/** The arguments of an instruction, wherever it occurs. */
const argumentsOf = (instruction: string) => dockerfile.split('\n')
  .filter(line => line.startsWith(`${instruction} `)).map(line => line.slice(instruction.length + 1))

// Without a Docker engine: in a folder with the files that the first stage copies, and with the paths of the last stage below it.
await t.test('docker build, and docker run … check', async t => {
  // Below this project, where Node finds what `npm ci` installs.
  const image = t.testdir({ build: {}, app: {}, samples: {} })
  const build = join(image, 'build')
  const sources = argumentsOf('COPY').filter(text => !text.startsWith('-') && text !== 'LICENSE /app/').flatMap(text => text.split(' ').slice(0, -1))
  t.ok(sources.includes('src') && sources.includes('.config'))
  const ignored = (await read('.dockerignore')).split('\n')
  for (const source of sources) {
    t.ok(ignored.includes(`!${source}`), `${source} is sent to the engine`)
    await cp(new URL(`../../${source}`, import.meta.url), join(build, source), { recursive: true })
  }
  const bundle = argumentsOf('RUN').at(-1)
  t.equal(bundle, 'npm run bundle')
  const built = await said('npm', ['run', 'bundle'], { cwd: build })
  t.equal(built.code, 0, built.stderr)

  const [copied = ''] = argumentsOf('COPY').filter(text => text.startsWith('--from=build '))
  const files = copied.split(' ').slice(1, -1)
  for (const file of files) await cp(join(image, file), join(image, 'app', basename(file)))
  await cp(new URL('samples', manifests), join(image, 'samples'), { recursive: true })

  // As .github/workflows/ci.yml runs the real image.
  const [, ...entryPoint] = JSON.parse(argumentsOf('ENTRYPOINT')[0] ?? '[]') as string[]
  const inImage = (path: string) => path.startsWith('/') ? join(image, path) : path
  const args = [...entryPoint, 'check', '-f', '/samples/minimal.yaml', '--state', '/samples'].map(inImage)
  const { code, stdout } = await said('/usr/bin/env', ['-i', process.execPath, ...args], { cwd: image })
  t.equal(code, 0)
  t.match(stdout, /dittoserver\.dittofs\.dittofs\.com\/dittofs-minimal allowed\n$/)
})

await t.test('the Dockerfile and the Deployment are consistent', async t => {
  const { securityContext: ofPod, containers: [container] } = deployment(defaultInstallation).spec.template.spec
  const securityContext = ofPod as Readonly<Record<'runAsUser' | 'runAsGroup', number>>
  t.strictSame(argumentsOf('USER'), [`${securityContext.runAsUser}:${securityContext.runAsGroup}`])
  t.equal(securityContext.runAsUser, nobody)
  t.strictSame(argumentsOf('EXPOSE'), [container?.ports.map(({ containerPort }) => containerPort).join(' ')])
  t.notOk(container && 'command' in container, 'the entry point is that of the image')
  t.strictSame(argumentsOf('CMD').map(text => JSON.parse(text) as unknown), [container?.args.slice(0, 1)])

  const [[node, ...entryPoint] = []] = argumentsOf('ENTRYPOINT').map(text => JSON.parse(text) as string[])
  const isFlag = (word: string) => /^--[a-z0-9=-]+$/.test(word)
  t.strictSame([node, ...entryPoint.filter(word => !isFlag(word))], ['/nodejs/bin/node', '/app/dittofs-operator.mjs'])
  t.ok(entryPoint.some(isFlag))
  const built = ['dittofs-operator.mjs', 'dittofs-operator.mjs.map', ...Object.values(companions)].map(file => `/build/dist/${file}`)
  t.ok(argumentsOf('COPY').includes(`--from=build ${built.join(' ')} /app/`))
  t.ok(argumentsOf('COPY').includes(`--from=build /build/dist/${pageFolder} /app/${pageFolder}`))
  for (const path of ['.config', 'src', 'manifests/samples']) t.ok((await read('.dockerignore')).split('\n').includes(`!${path}`), path)

  const { devDependencies: { node: tested } } = JSON.parse(await read('package.json')) as { devDependencies: { node: string } }
  const major = /\d+/.exec(tested)?.[0] ?? ''
  t.strictSame(argumentsOf('FROM').map(image => /node(?:js)?:?(\d+)/.exec(image)?.[1]), [major, major], 'the Node of the tests')
})

/** With the CA in the file itself. */
async function readable (kubeconfig: string): Promise<string> {
  const { clusters: [found], ...rest } = JSON.parse(await readFile(kubeconfig, 'utf8')) as { clusters: [{ name: string, cluster: Record<string, string> }] }
  const { 'certificate-authority': file = '', ...cluster } = found.cluster
  const data = (await readFile(file)).toString('base64')
  return JSON.stringify({ ...rest, clusters: [{ name: found.name, cluster: { ...cluster, 'certificate-authority-data': data } }] })
}

async function everythingIn (folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true })
  return await Promise.all(entries.sort().map(async entry => `${entry} ${(await stat(join(folder, entry))).mtimeMs}`))
}
