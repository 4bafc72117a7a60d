import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { eventually, freePort } from '../control-plane/control-plane.ts'
import { issue } from '../tls/certificates.ts'
import { main, run, samples, serve } from './program.ts'

const packageJson = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }

t.test('--version', async t => {
  t.match(await run(['--version']), { code: 0, stdout: `${packageJson.version}\n`, stderr: '' })
})

t.test('--help names every setting with its default and its variable', async t => {
  const { code, stdout, stderr } = await run(['serve', '--help'])
  t.equal(code, 0)
  t.equal(stderr, '')
  const settings = stdout.replace(/\n {10,}/g, ' ').split('\n').filter(line => /^ {2}--/.test(line))
  t.ok(settings.length >= 10)
  for (const line of settings) {
    const flag = /--([a-z-]+)/.exec(line)?.[1] ?? ''
    t.match(line, `env: DITTOFS_OPERATOR_${flag.toUpperCase().replaceAll('-', '_')})`)
  }
  for (const [flag, value] of Object.entries({
    port: '9443', 'health-port': '8081', 'max-in-flight': '500', 'log-level': '"info"', 'log-format': '"auto"', 'tls-dir': 'certs', host: '127.0.0.1', kubeconfig: 'the account of the pod',
  })) {
    const line = settings.find(setting => setting.startsWith(`  --${flag} `)) ?? ''
    t.match(line, new RegExp(`\\b(default|default with --embedded): .*${value}`), flag)
  }
  const { stdout: help } = await run(['check', '--help'])
  for (const option of ['--filename', '--state', '--kubeconfig', '--namespace', '--output', '--warnings-as-errors', '--rule', 'Exit code']) t.match(help, option)
})

t.test('every setting can come from the environment; a flag takes precedence', async t => {
  const tlsDir = t.testdir({ ...await issue() })
  const [port, healthPort] = [await freePort(), await freePort()]
  const server = await serve(t, ['--log-level', 'debug'], {
    env: {
      DITTOFS_OPERATOR_EMBEDDED: samples,
      DITTOFS_OPERATOR_TLS_DIR: tlsDir,
      DITTOFS_OPERATOR_PORT: String(port),
      DITTOFS_OPERATOR_HEALTH_PORT: String(healthPort),
      DITTOFS_OPERATOR_LOG_LEVEL: 'error',
      DITTOFS_OPERATOR_RULE: 'S3-SECRET-MISSING=deny, PORT-CONFLICT=off',
    },
  })
  await server.said(/Ctrl-C/)
  t.match(await eventually(async () => server.logs()[0], 'the first line', 5_000), { level: 'info', msg: 'starting' }, 'the flag')
  t.match(server.stdout(), `https://localhost:${server.port}/`, 'the flag')
  t.match(server.stdout(), /^The DittoServer "dittofs-warnings" is invalid: spec\.s3\./m, 'the rule was overridden')
  t.notMatch(server.stdout(), 'PORT-CONFLICT')
  t.equal((await server.get('/readyz')).status, 200)
})

async function signalled (t: Test, signal: NodeJS.Signals) {
  const server = await serve(t, ['--embedded', samples, '--tls-dir', t.testdir({ ...await issue() })])
  await server.said(/Ctrl-C/)
  const started = performance.now()
  server.child.kill(signal)
  t.strictSame(await server.exited, [0, null])
  t.ok(performance.now() - started < 5_000)
  t.match(server.logs().slice(-2), [{ msg: 'stopping', signal }, { msg: 'stopped' }], 'what was logged last is there')
}

t.test('SIGTERM and SIGINT end it normally', async t => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) await signalled(t, signal)
})

t.test('logs are JSON if there is no terminal', async t => {
  const server = await serve(t, ['--embedded', samples, '--tls-dir', t.testdir({ ...await issue() })])
  await server.said(/Ctrl-C/)
  server.child.kill('SIGTERM')
  await server.exited
  const lines = server.stderr().split('\n').filter(Boolean)
  t.equal(server.logs().length, lines.length, 'every line')
  for (const line of server.logs()) t.match(line, { level: /^(info|warn)$/, time: /^\d{4}-\d\d-\d\dT[\d:.]+Z$/, msg: /./ })
  t.ok(server.logs().some(({ msg, allowed }) => msg === 'reviewed' && allowed === false))
})

t.test('logs are readable text on a terminal', async t => {
  const [port, healthPort] = [await freePort(), await freePort()]
  const tlsDir = t.testdir({ ...await issue() })
  const terminal = async (...more: string[]) => {
    const command = ['exec', process.execPath, main, 'serve', '--embedded', samples, '--tls-dir', tlsDir, '--port', port, '--health-port', healthPort, ...more].join(' ')
    // `script` runs a command on its own terminal.
    const child = spawn('script', ['-qec', command, '/dev/null'], { env: { PATH: process.env.PATH, TERM: 'xterm' }, stdio: ['pipe', 'pipe', 'inherit'] })
    t.teardown(() => child.kill('SIGKILL'))
    const missing = once(child, 'error').then(() => true)
    let output = ''
    child.stdout.on('data', chunk => { output += String(chunk) })
    const exited = once(child, 'close')
    await Promise.race([missing, eventually(async () => output.includes('Ctrl-C'), 'the tour', 20_000)])
    if (child.pid === undefined) return undefined
    child.stdin.write('\u0003')
    const [code] = await exited as [number | null]
    t.equal(code, 0, 'Ctrl-C on the terminal ends it well')
    return output
  }
  const output = await terminal()
  if (output === undefined) {
    t.comment('there is no `script` here')
    return
  }
  t.notMatch(output, /^\{"level"/m)
  // eslint-disable-next-line no-control-regex -- the colours of a terminal
  const plain = output.replace(/\u001b\[[0-9;]*m/g, '')
  t.not(plain, output, 'in colour')
  t.match(plain, /^\[\d\d:\d\d:\d\d\] INFO: serving/m)
  t.match(await terminal('--log-format', 'json') ?? '', /^\{"level":"info",/m)
})
