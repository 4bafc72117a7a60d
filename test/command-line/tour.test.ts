import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { eventually } from '../control-plane/control-plane.ts'
import { issue } from '../tls/certificates.ts'
import { parseManifests } from '../../src/embedded/manifests.ts'
import { run, samples, serve } from './program.ts'

const hasCurl = await promisify(execFile)('curl', ['--version']).then(() => true, () => false)

/** A folder of one's own to start in: samples to change, and room for the certificates. */
function place (t: Test) {
  const cwd = t.testdir({})
  const folder = join(cwd, 'samples')
  cpSync(samples, folder, { recursive: true })
  return { cwd, folder }
}

const names = (folder: string) => ['minimal', 's3', 'production', 'mistakes']
  .flatMap(file => parseManifests(readFileSync(join(folder, `${file}.yaml`), 'utf8'), file))
  .filter(({ kind }) => kind === 'DittoServer').map(({ name }) => name)

t.test('the output of the first start', async t => {
  const { cwd, folder } = place(t)
  const server = await serve(t, ['--embedded', folder], { cwd })
  await server.said(/Ctrl-C stops\.\n/)
  const { port, healthPort } = server
  t.match(server.stdout(), `answers on https://localhost:${port}/mutate and /validate\n`)
  t.match(server.stdout(), `http://127.0.0.1:${healthPort}/readyz and /metrics\n`)
  t.match(server.stdout(), /^playground on http:\/\/localhost:\d+\n/m)

  await t.test('a verdict for each DittoServer of the samples, in the format of kubectl', async t => {
    for (const name of names(folder)) {
      if (name === 'dittofs-unknown-class') continue
      t.match(server.stdout(), `dittoserver.dittofs.dittofs.com/${name} allowed\n`)
    }
    t.match(server.stdout(), 'The DittoServer "dittofs-unknown-class" is invalid: spec.storage.storageClassName: Not found: \'fsat\': ')
    t.match(server.stdout(), /Warning: .*\[PORT-CONFLICT\]\n/)
    t.match(server.stdout(), /Warning: .*\[S3-SECRET-MISSING\]\n/)
    t.match(server.stdout(), '(spec.storage.cacheSize: 5Gi was filled in)\n')
    t.match(server.stdout(), `# ${join(folder, 'minimal.yaml')}\n`)
  })

  await t.test('the certificates are created, and only the owner can read the keys', async t => {
    t.ok(existsSync(join(cwd, 'certs', 'ca.crt')))
    t.equal(statSync(join(cwd, 'certs', 'tls.key')).mode & 0o777, 0o600)
  })

  await t.test('the printed command works', { skip: !hasCurl && 'there is no curl here' }, async t => {
    const [, command = ''] = await server.said(/\n(curl .*)\n/)
    const { stdout } = await promisify(execFile)('bash', ['-c', `${command} --silent --show-error`], { cwd })
    t.match(JSON.parse(stdout), { kind: 'AdmissionReview', response: { allowed: false, status: { message: /no such StorageClass.*\[SC-MISSING\]$/ } } })
  })

  await t.test('it listens on the loopback interface only, and is ready', async t => {
    const { host } = await eventually(async () => server.logs().find(({ msg }) => msg === 'serving'), 'told', 5_000)
    t.equal(host, '127.0.0.1')
    t.match(await server.get('/readyz'), { status: 200, body: 'ok\n' })
    t.match(await server.get('/livez'), { status: 200 })
    t.match((await server.get('/metrics')).body, /^certwatcher_read_certificate_total [1-9]/m)
  })

  await t.test('a changed manifest is judged again', async t => {
    const shown = server.stdout().length
    const since = async (what: RegExp) => await eventually(async () => what.test(server.stdout().slice(shown)), String(what), 10_000)
    const mistakes = join(folder, 'mistakes.yaml')
    writeFileSync(mistakes, readFileSync(mistakes, 'utf8').replace('fsat', 'standard'))
    await since(/dittofs-unknown-class allowed\n/)
    writeFileSync(join(folder, 'minimal.yaml'), 'apiVersion: [')
    await eventually(async () => server.logs().some(({ msg }) => /manifest refused/.test(String(msg))), 'told', 10_000)
    writeFileSync(join(folder, 'cluster.yaml'), '')
    await since(/no such StorageClass; the cluster has none/)
    rmSync(join(folder, 'minimal.yaml'))
    t.equal(server.child.exitCode, null, 'it keeps running')
  })

  await t.test('a second start uses the same certificates', async t => {
    const ca = readFileSync(join(cwd, 'certs', 'ca.crt'), 'utf8')
    const again = await serve(t, ['--embedded', folder], { cwd })
    await again.said(/Ctrl-C stops\.\n/)
    const [first, second] = [server, again].map(({ stdout }) => /playground on http:\/\/localhost:(\d+)/.exec(stdout())?.[1] ?? '')
    t.not(first, second, 'its playground is on another port')
    t.equal(readFileSync(join(cwd, 'certs', 'ca.crt'), 'utf8'), ca)
  })
})

t.test('a second signal ends the process immediately', async t => {
  const { cwd, folder } = place(t)
  const server = await serve(t, ['--embedded', folder], { cwd })
  await server.said(/Ctrl-C stops\.\n/)
  // A request that never ends holds up the stop.
  const socket = connectTls({ host: '127.0.0.1', port: server.port, servername: 'localhost', ca: readFileSync(join(cwd, 'certs', 'ca.crt')) })
  socket.on('error', () => {})
  await once(socket, 'secureConnect')
  socket.write('POST /validate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n{')
  t.teardown(() => socket.destroy())
  server.child.kill('SIGTERM')
  await eventually(async () => await refuses(server.port), 'no new connections', 5_000)
  t.match(await server.get('/readyz'), { status: 503, body: 'not ready:\n- draining\n' }, 'while it drains')
  t.equal(server.child.exitCode, null, 'it waits for the request')
  server.child.kill('SIGTERM')
  t.strictSame(await server.exited, [1, null])
})

async function refuses (port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  const refused = await Promise.race([once(socket, 'connect').then(() => false), once(socket, 'error').then(() => true)]).catch(() => true)
  socket.destroy()
  return refused
}

t.test('a certificate for another name', async t => {
  const tlsDir = t.testdir({ ...await issue({ names: ['hook.system.svc'] }) })
  const server = await serve(t, ['--embedded', samples, '--tls-dir', tlsDir])
  await server.said(/Ctrl-C stops\.\n/)
  t.match(server.stdout(), `answers on https://hook.system.svc:${server.port}/mutate`)
  t.match(server.stdout(), 'dittofs-minimal allowed\n')
  if (!hasCurl) return
  const [, command = ''] = await server.said(/\n(curl .*)\n/)
  const { stdout } = await promisify(execFile)('bash', ['-c', `${command} --silent --show-error`])
  t.match(JSON.parse(stdout), { response: { allowed: false } })
})

t.test('a certificate without its CA', async t => {
  const { 'ca.crt': _, ...pair } = await issue()
  const server = await serve(t, ['--embedded', samples, '--tls-dir', t.testdir({ ...pair })])
  await server.said(/Ctrl-C stops\.\n/)
  const told = await eventually(async () => server.logs().find(({ msg }) => msg === 'cannot show the verdicts for the folder'), 'told', 5_000)
  t.match(told, { level: 'warn', cause: /certificate/ })
  t.equal((await server.get('/readyz')).status, 200, 'it serves all the same')
})

t.test('a port for the playground that is in use', async t => {
  const busy = createServer()
  busy.listen(0, '127.0.0.1')
  await once(busy, 'listening')
  t.teardown(() => busy.close())
  const { port } = busy.address() as AddressInfo
  const tlsDir = t.testdir({ ...await issue() })
  const { code, stderr } = await run(['serve', '--embedded', samples, '--tls-dir', tlsDir, '--port', '0', '--health-port', '0', '--ui-port', String(port)])
  t.equal(code, 1)
  t.match(stderr, `dittofs-operator: --ui-port: port ${port} is in use\n`)
})

t.test('an empty folder', async t => {
  const cwd = t.testdir({ nothing: {} })
  const server = await serve(t, ['--embedded', 'nothing'], { cwd })
  await server.said(/Ctrl-C stops\.\n/)
  t.equal((await server.get('/readyz')).status, 200)
  writeFileSync(join(cwd, 'nothing', 'a.yaml'), readFileSync(join(samples, 'minimal.yaml')))
  await server.said(/dittofs-minimal allowed\n/)
})

t.test('certificates that cannot be created', async t => {
  const cwd = t.testdir({ certs: 'a file' })
  const { code, stderr } = await run(['serve', '--embedded', samples, '--port', '0', '--health-port', '0'], { cwd })
  t.equal(code, 1)
  t.match(stderr, /^dittofs-operator: certs: cannot make a development certificate: EEXIST.*\n$/m)
})
