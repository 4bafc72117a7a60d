import { execFile, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { issueCa } from '../../src/tls/issue.ts'
import { developmentNames, ensureDevelopmentPair } from '../../src/tls/development-pair.ts'
import { checkKeyPair } from '../../src/tls/key-pair.ts'
import { inDays, issue, startServer } from './certificates.ts'

// What is made here, as other processes and other TLS libraries see it.

const run = promisify(execFile)
const names = developmentNames({ name: 'hook', namespace: 'system' })
const without = (program: string, flag: string) => spawnSync(program, [flag]).status !== 0 && `there is no ${program} here`
const make = async (folder: string) =>
  (await run(process.execPath, [join(import.meta.dirname, 'make-development-pair.ts'), folder, ...names])).stdout

t.test('processes that start together end up with one CA', async t => {
  const dir = join(t.testdir({}), 'certs')
  const made = await Promise.all(Array.from({ length: 4 }, async () => await make(dir)))
  t.strictSame(new Set(made), new Set([readFileSync(join(dir, 'ca.crt'), 'utf8')]))
  t.strictSame(readdirSync(dir).sort(), ['ca.crt', 'ca.key', 'tls.crt', 'tls.key'])
  t.equal(await make(dir), made[0], 'and the next one finds it good')
})

t.test('the lock of a process that died is broken', async t => {
  const dir = t.testdir({ '.lock': '1' })
  utimesSync(join(dir, '.lock'), inDays(-1), inDays(-1))
  await ensureDevelopmentPair(dir, names)
  t.notOk(existsSync(join(dir, '.lock')))
})

t.test('openssl', { skip: without('openssl', 'version') }, async t => {
  const dir = t.testdir({})
  await ensureDevelopmentPair(dir, names)
  const verify = async (bundle: string, leaf: string, ...more: string[]) =>
    (await run('openssl', ['verify', '-purpose', 'sslserver', ...more, '-CAfile', join(dir, bundle), join(dir, leaf)])).stdout
  t.match(await verify('ca.crt', 'tls.crt', '-verify_hostname', 'hook.system.svc'), /: OK/)
  t.match(await verify('ca.crt', 'tls.crt', '-verify_ip', '::1'), /: OK/)
  await t.rejects(verify('ca.crt', 'tls.crt', '-verify_hostname', 'hook.elsewhere.svc'), /hostname mismatch/)

  // It looks a CA up by name and takes the first.
  const [old, next] = [await issueCa({ commonName: 'rotated', days: 9 }), await issueCa({ commonName: 'rotated', days: 9 })]
  writeFileSync(join(dir, 'both.crt'), `${old.certificate}\n${next.certificate}\n`)
  for (const by of [old, next]) {
    writeFileSync(join(dir, 'leaf.crt'), (await issue({ by, days: 3 }))['tls.crt'])
    t.match(await verify('both.crt', 'leaf.crt'), /: OK/, 'a client that trusts both CAs trusts both certificates')
  }
})

t.test('curl', { skip: without('curl', '--version') }, async t => {
  const dir = t.testdir({})
  await ensureDevelopmentPair(dir, names)
  const read = (file: string) => readFileSync(join(dir, file), 'utf8')
  const { port } = await startServer(t, { 'tls.crt': read('tls.crt'), 'tls.key': read('tls.key'), 'ca.crt': read('ca.crt') })
  const curl = async (host: string, ...more: string[]) =>
    (await run('curl', ['--silent', '--show-error', '--noproxy', '*', '--max-time', '10', '--resolve', `hook.system.svc:${port}:127.0.0.1`, ...more, `https://${host}:${port}/`])).stdout
  for (const host of ['localhost', '127.0.0.1', 'hook.system.svc']) t.equal(await curl(host, '--cacert', join(dir, 'ca.crt')), 'ok', host)
  await t.rejects(curl('localhost'), { code: 60 }, 'not without the CA')
})

// What a rotation by hand leaves behind: tools write keys in several forms.
t.test('keys as openssl writes them', { skip: without('openssl', 'version') }, async t => {
  await t.resolves(served(t, out => ['ecparam', '-name', 'prime256v1', '-genkey', '-out', out]), 'SEC 1, after its parameters')
  await t.resolves(served(t, out => ['genrsa', '-traditional', '-out', out, '2048']), 'PKCS #1')
  await t.resolves(served(t, out => ['genpkey', '-algorithm', 'ed25519', '-out', out]), 'PKCS #8')
})

async function served (t: Test, makeKey: (out: string) => string[]): Promise<void> {
  const dir = t.testdir({})
  const [key, certificate] = [join(dir, 'tls.key'), join(dir, 'tls.crt')]
  await run('openssl', makeKey(key))
  await run('openssl', ['req', '-x509', '-new', '-key', key, '-out', certificate, '-days', '3', '-subj', '/CN=x', '-addext', 'subjectAltName=DNS:localhost'])
  checkKeyPair({ certificate: readFileSync(certificate), key: readFileSync(key) })
}
