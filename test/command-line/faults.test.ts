import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import { expired, issue } from '../tls/certificates.ts'
import { runHere } from './here.ts'
import { faultIn, run, samples } from './program.ts'

// Whatever keeps the program from starting ends in one line on standard error that names the setting.

async function fails (t: Test, code: 1 | 2, message: string | RegExp, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const outcome = await run(args, { env, cwd: tmpdir() })
  const { lines, isLast } = faultIn(outcome)
  t.equal(lines.length, 1, `one line: ${lines.join('\n')}`)
  t.match(lines[0], message)
  t.match(lines[0], /^dittofs-operator: /)
  t.notMatch(lines[0], /at .*\.ts:\d+|node:internal/)
  t.ok(isLast, 'the last one')
  t.equal(outcome.code, code)
  t.equal(outcome.stdout, '')
}

t.test('wrong usage', async t => {
  const cases: readonly (readonly [RegExp, readonly string[], Readonly<Record<string, string>>?])[] = [
    [/unknown command 'frobnicate'; see --help$/, ['frobnicate']],
    [/unknown command 'serv' \(Did you mean serve\?\); see --help$/, ['serv']],
    [/unknown option '--nope'; see --help$/, ['serve', '--nope']],
    [/unknown option '--prot' \(Did you mean --port\?\)/, ['serve', '--prot', '1']],
    [/too many arguments/, ['serve', 'extra']],
    [/--port <number>' argument missing/, ['serve', '--port']],
    [/--port <number>' argument 'abc' is invalid\. It must be a whole number from 0 to 65535; see --help$/, ['serve', '--port', 'abc']],
    [/--port <number>' argument '65536' is invalid/, ['serve', '--port', '65536']],
    [/--port <number>' argument '-1' is invalid/, ['serve', '--port=-1']],
    [/--port <number>' argument '' is invalid/, ['serve', '--port', '']],
    [/--health-port <number>' argument '8081\.5' is invalid/, ['serve', '--health-port', '8081.5']],
    [/--max-in-flight <number>' argument '0' is invalid/, ['serve', '--max-in-flight', '0']],
    [/--log-level <level>' argument 'loud' is invalid\. Allowed choices are fatal, error, /, ['serve', '--log-level', 'loud']],
    [/--log-format <format>' argument 'xml' is invalid/, ['serve', '--log-format', 'xml']],
    [/--cert-mode <mode>' argument 'acme' is invalid\. Allowed choices are self, files/, ['serve', '--cert-mode', 'acme']],
    [/--drain-period <seconds>' argument 'long' is invalid/, ['serve', '--drain-period', 'long']],
    [/'\*\.example' is neither a host name nor an address/, ['serve', '--tls-san', 'a.example, *.example']],
    [/'NOPE=warn': there is no rule 'NOPE'; docs\/rules\.md lists them/, ['serve', '--rule', 'NOPE=warn']],
    [/'PORT-CONFLICT=no': the severity must be one of deny, warn, off/, ['serve', '--rule', 'PORT-CONFLICT=no']],
    [/'SCHEMA=off': .* it can only be 'deny'/, ['serve', '--rule', 'SCHEMA=off']],
    [/'--embedded <folder>' cannot be used with option '--kubeconfig <file>'/, ['serve', '--embedded', '.', '--kubeconfig', 'x']],
    [/'--embedded <folder>' cannot be used with environment variable 'DITTOFS_OPERATOR_KUBECONFIG'/, ['serve', '--embedded', '.'], { DITTOFS_OPERATOR_KUBECONFIG: 'x' }],
    [/value 'abc' from env 'DITTOFS_OPERATOR_PORT' is invalid/, ['serve'], { DITTOFS_OPERATOR_PORT: 'abc' }],
    [/value 'loud' from env 'DITTOFS_OPERATOR_LOG_LEVEL' is invalid/, ['serve'], { DITTOFS_OPERATOR_LOG_LEVEL: 'loud' }],
    [/value 'A=warn' from env 'DITTOFS_OPERATOR_RULE' is invalid\. 'A=warn': there is no rule 'A'/, ['serve'], { DITTOFS_OPERATOR_RULE: 'A=warn' }],
    [/required option '-f, --filename <path>' not specified/, ['check']],
    [/'--kubeconfig <file>' cannot be used with option '--state <path>'/, ['check', '-f', '-', '--state', '.', '--kubeconfig', 'x']],
    [/--output <format>' argument 'yaml' is invalid\. Allowed choices are text, json/, ['check', '-f', '-', '-o', 'yaml']],
    [/--rule .* there is no rule 'NOPE'/, ['check', '-f', '-', '--rule', 'NOPE=warn']],
    [/--rule .* there is no rule 'NOPE'/, ['render', '-f', '-', '--rule', 'NOPE=warn']],
    [/'PORT-CONFLICT=deny=off': one rule and one severity, such as PORT-CONFLICT=deny; see --help$/, ['serve', '--rule', 'PORT-CONFLICT=deny=off']],
    [/'--context <name>' cannot be used with option '--previous <path>'/, ['check', '-f', '-', '--previous', '.', '--context', 'x']],
    [/^dittofs-operator: --no-webhook with --no-controller: nothing is left to do$/, ['serve', '--no-webhook', '--no-controller']],
    [/--no-webhook with --no-controller/, ['serve', '--no-controller'], { DITTOFS_OPERATOR_NO_WEBHOOK: 'true' }],
    [/^dittofs-operator: DITTOFS_OPERATOR_NO_WEBHOOK: 'maybe' is neither true nor false$/, ['serve'], { DITTOFS_OPERATOR_NO_WEBHOOK: 'maybe' }],
  ]
  for (const [message, args, env = {}] of cases) {
    const { code, stdout, stderr } = await runHere(args, { env })
    t.equal(code, 2, args.join(' '))
    t.equal(stdout, '')
    t.match(stderr.trimEnd(), message)
    t.match(stderr, /^dittofs-operator: [^\n]*\n$/)
  }
})

t.test('no arguments print the help', async t => {
  t.match(await runHere([]), { code: 2, stdout: '', stderr: /^Usage: dittofs-operator/ })
})

t.test('ignored variables: empty ones, and flags set to false', async t => {
  const env = {
    DITTOFS_OPERATOR_PORT: '', DITTOFS_OPERATOR_KUBECONFIG: ' ', DITTOFS_OPERATOR_LOG_LEVEL: '', DITTOFS_OPERATOR_NO_CONTROLLER: '', DITTOFS_OPERATOR_RULE: '',
  }
  for (const no of ['false', 'no', 'off', '0', 'FALSE']) {
    // It gets as far as the folder, so nothing before it was refused.
    await t.rejects(async () => await runHere(['serve', '--embedded', '/nowhere', '--no-controller'], { env: { ...env, DITTOFS_OPERATOR_NO_WEBHOOK: no } })
      .then(({ code, stderr }) => { throw new Error(`${code} ${stderr}`) }), { message: /^1 dittofs-operator: --embedded \/nowhere: no such folder/ })
  }
})

t.test('no cluster configuration', async t => {
  const dir = t.testdir({
    garbage: 'a: [',
    empty: '',
    http: stringify({
      'current-context': 'a', contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }], clusters: [{ name: 'a', cluster: { server: 'http://127.0.0.1:1' } }], users: [{ name: 'a', user: {} }],
    }),
  })
  const file = (name: string) => join(dir, name)
  await fails(t, 1, /no cluster: give --kubeconfig FILE \(neither KUBECONFIG nor ~\/\.kube\/config exists\), or run in a pod \(KUBERNETES_SERVICE_HOST is not set\)$/, ['serve'])
  await fails(t, 1, /no ServiceAccount credentials in this pod/, ['serve'], { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: '1' })
  await fails(t, 1, /--context a: no kubeconfig to take it from: neither KUBECONFIG nor ~\/\.kube\/config exists; give --kubeconfig FILE$/, ['serve', '--context', 'a'])
  await fails(t, 1, /--kubeconfig \/nowhere\/config: ENOENT/, ['serve', '--kubeconfig', '/nowhere/config'])
  await fails(t, 1, /--kubeconfig \/nowhere\/config: ENOENT/, ['serve'], { DITTOFS_OPERATOR_KUBECONFIG: '/nowhere/config' })
  await fails(t, 1, /--kubeconfig .*garbage: /, ['serve', '--kubeconfig', file('garbage')])
  await fails(t, 1, /--kubeconfig .*empty: /, ['serve', '--kubeconfig', file('empty')])
  await fails(t, 1, /no context 'b'; it has: 'a'$/, ['serve', '--kubeconfig', file('http'), '--context', 'b'])
  await fails(t, 1, /not https/, ['serve', '--kubeconfig', file('http')])
})

t.test('no such folder', async t => {
  const file = join(t.testdir({ file: '' }), 'file')
  await fails(t, 1, /--embedded \/nowhere: no such folder$/, ['serve', '--embedded', '/nowhere'])
  await fails(t, 1, /--embedded .*file: not a folder$/, ['serve', '--embedded', file])
  await fails(t, 1, /--embedded \/nowhere: no such folder$/, ['serve'], { DITTOFS_OPERATOR_EMBEDDED: '/nowhere' })
})

t.test('no key pair', async t => {
  const [good, other] = [await issue(), await issue()]
  const dir = t.testdir({
    mixed: { ...good, 'tls.key': other['tls.key'] }, old: { ...await expired() }, garbage: { ...good, 'tls.crt': 'hello' }, alone: { 'tls.crt': good['tls.crt'] },
  })
  const refuses = async (name: string, message: RegExp) => await fails(t, 1, message, ['serve', '--embedded', samples, '--tls-dir', join(dir, name)])
  await refuses('nowhere', /--tls-dir .*nowhere: the folder does not exist$/)
  await refuses('mixed', /--tls-dir .*mixed: tls\.key does not belong to tls\.crt$/)
  await refuses('old', /--tls-dir .*old: tls\.crt expired on \d{4}-/)
  await refuses('garbage', /--tls-dir .*garbage: tls\.crt is not PEM/)
  await refuses('alone', /--tls-dir .*alone: tls\.key does not exist$/)
})

t.test('an invalid certificate mode', async t => {
  const kubeconfig = join(t.testdir({
    https: stringify({
      'current-context': 'a', contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }], clusters: [{ name: 'a', cluster: { server: 'https://127.0.0.1:1' } }], users: [{ name: 'a', user: {} }],
    }),
  }), 'https')
  await fails(t, 1, /--cert-mode self: .* needs a cluster$/, ['serve', '--embedded', samples, '--cert-mode', 'self'])
  await fails(t, 1, /--tls-dir: give the folder with tls\.crt and tls\.key$/, ['serve', '--kubeconfig', kubeconfig, '--cert-mode', 'files'])
  await fails(t, 1, /--cert-mode self: cannot be combined with --tls-dir$/, ['serve', '--kubeconfig', kubeconfig, '--cert-mode', 'self', '--tls-dir', 'x'])
})

t.test('a port in use', async t => {
  const squatter = createServer().listen(0, '127.0.0.1')
  await once(squatter, 'listening')
  t.teardown(() => squatter.close())
  const { port } = squatter.address() as AddressInfo
  const tlsDir = t.testdir({ ...await issue() })
  const serve = (...args: string[]) => ['serve', '--embedded', samples, '--tls-dir', tlsDir, ...args]
  await fails(t, 1, `dittofs-operator: --port: port ${port} is in use`, serve('--port', String(port), '--health-port', '0'))
  await fails(t, 1, `dittofs-operator: --health-port: port ${port} is in use`, serve('--health-port', String(port), '--port', '0'))
  await fails(t, 1, /--host no\.such\.host\.invalid: no such host name$/, serve('--host', 'no.such.host.invalid', '--port', '0', '--health-port', '0'))
  await fails(t, 1, /--host 192\.0\.2\.1: not an address of this machine$/, serve('--host', '192.0.2.1', '--port', '0', '--health-port', '0'))
})
