import { once } from 'node:events'
import { readFile, readdir, stat } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { dirname, join } from 'node:path'
import t from 'tap'
import { deployment } from '../../src/manifests/install/deployment.ts'
import { defaultInstallation } from '../../src/manifests/install/installation.ts'
import { version } from '../../src/version.ts'
import { binariesOrSkip, eventually, freePort, startControlPlane } from '../control-plane/control-plane.ts'
import { reviewOf } from '../e2e/direct-review.ts'
import { grantRights, serviceAccountFlags } from '../e2e/installation.ts'
import { kubectlUser, serverOf } from '../e2e/kubectl-user.ts'
import { buildImage, nobody } from './image.ts'
import { samples } from './program.ts'

// The one file that the image carries, run with no more than the image and the Deployment give it.

const manifests = new URL('../../manifests/', import.meta.url)
const read = async (path: string) => await readFile(new URL(`../../${path}`, import.meta.url), 'utf8')

/** Megabytes: a fifth above the 6.7 of today. The usual way to exceed it is a dependency that brings another one of its kind. */
const sizeLimit = 8

await t.test('the image', async t => {
  const image = await buildImage(t)

  await t.test('one file, which needs Node alone', async t => {
    const { size } = await stat(image.program)
    t.ok(size / 1e6 < sizeLimit, `${(size / 1e6).toFixed(2)} MB`)
    // With the lines of all dependencies it has 3.6 MB, and Node keeps twenty times that.
    t.ok((await stat(`${image.program}.map`)).size < 1e6, 'the source map')
    t.match(image.said, /dittofs-operator\.mjs \d+\.\d MB\n/)
    const code = await readFile(image.program, 'utf8')
    const modules = [/^import\b[^;"']*["']([^"'\n]+)["']/gm, /\b__require\d*\("([^"\n]+)"\)/g, /(?<![.\w])import\("([^"\n]+)"\)/g]
      .map(pattern => [...code.matchAll(pattern)].map(([, name = '']) => name))
    t.ok(modules[0]?.includes('node:https') && modules[1]?.includes('events'), 'both sorts of imports are found')
    t.strictSame(modules.flat().filter(name => !isBuiltin(name)), [])
  })

  await t.test('the commands', async t => {
    t.match(await image.run(['--version']), { code: 0, stdout: `${version}\n`, stderr: '' })
    t.match(await image.run(['--help']), { code: 0, stdout: /^Usage: /, stderr: '' })
    const sample = await readFile(join(samples, 'minimal.yaml'), 'utf8')
    t.match(await image.run(['check', '-f', '-'], sample), { code: 0, stdout: / allowed\n$/ })
    const mistaken = sample.replace(/metadataSize: .*/, 'metadataSize: 0Gi')
    t.match(await image.run(['check', '-f', '-'], mistaken), { code: 1, stdout: /spec\.storage\.metadataSize: .*\[SIZE-ZERO\]/ })
  })

  await t.test('no other file can be read', async t => {
    const path = await image.provide('other.yaml', 'a: b')
    t.match(await image.run(['check', '-f', path]), { code: 2, stderr: /Access to this API has been restricted/ })
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
    t.notMatch(stderr, /ERR_ACCESS_DENIED|"level":"(error|warn|fatal)"/)

    await t.test('stack traces name the sources', async t => {
      await plane.killApiServer()
      await eventually(async () => /src\/cluster\/[\w-]+\.ts:\d+:\d+/.test(stderr), 'a stack trace', 20_000)
      t.notMatch(stderr, /dittofs-operator\.mjs:\d/)
      await plane.startApiServer()
    })

    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    t.strictSame(await exited, [0, null])
    t.strictSame(await everythingIn(image.root), before, 'nothing is written')
  })
})

await t.test('the Dockerfile and the Deployment agree', async t => {
  const lines = (await read('Dockerfile')).split('\n')
  const argumentsOf = (instruction: string) => lines.filter(line => line.startsWith(`${instruction} `)).map(line => line.slice(instruction.length + 1))
  const { securityContext, containers: [container] } = deployment(defaultInstallation).spec.template.spec
  t.strictSame(argumentsOf('USER'), [`${securityContext.runAsUser}:${securityContext.runAsGroup}`])
  t.equal(securityContext.runAsUser, nobody)
  t.strictSame(argumentsOf('EXPOSE'), [container?.ports.map(({ containerPort }) => containerPort).join(' ')])
  t.notOk(container && 'command' in container, 'the entry point is that of the image')
  t.strictSame(argumentsOf('CMD').map(text => JSON.parse(text) as unknown), [container?.args.slice(0, 1)])

  const [[node, ...entryPoint] = []] = argumentsOf('ENTRYPOINT').map(text => JSON.parse(text) as string[])
  t.strictSame([node, ...entryPoint], ['/nodejs/bin/node', '--enable-source-maps', '/app/dittofs-operator.mjs'])
  const bundle = await read('.config/bundle.ts')
  const built = /outfile = '([^']+)'/.exec(bundle)?.[1] ?? ''
  t.ok(argumentsOf('COPY').includes(`--from=build /build/${built} /build/${built}.map /app/`))

  const { engines: { node: wanted } } = JSON.parse(await read('package.json')) as { engines: { node: string } }
  const major = /\d+/.exec(wanted)?.[0] ?? ''
  t.strictSame(argumentsOf('FROM').map(image => /node(?:js)?:?(\d+)/.exec(image)?.[1]), [major, major])
  t.match(bundle, `target: 'node${major}'`)
})

/** With the authority in the file itself. */
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
