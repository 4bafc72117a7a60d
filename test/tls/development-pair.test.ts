import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import t from 'tap'
import { issueCa } from '../../src/tls/issue.ts'
import { developmentNames, ensureDevelopmentPair } from '../../src/tls/development-pair.ts'
import { handshake, inDays, issue, startServer, type Files } from './certificates.ts'

const names = developmentNames({ name: 'hook', namespace: 'system' })
const read = (dir: string): Files => ({
  'tls.crt': readFileSync(join(dir, 'tls.crt'), 'utf8'),
  'tls.key': readFileSync(join(dir, 'tls.key'), 'utf8'),
  'ca.crt': readFileSync(join(dir, 'ca.crt'), 'utf8'),
})
const expiryOf = (pem: string) => new X509Certificate(pem).validToDate

t.test('a client that trusts the CA alone accepts the server by all its names', async t => {
  const dir = join(t.testdir({}), 'made', 'when absent')
  const { caPem, directory } = await ensureDevelopmentPair(dir, names)
  t.equal(directory, dir)
  const files = read(dir)
  t.equal(files['ca.crt'], caPem)
  const { port } = await startServer(t, files)
  for (const name of ['localhost', 'hook', 'hook.system', 'hook.system.svc', 'hook.system.svc.cluster.local']) {
    const socket = await handshake(port, caPem, name)
    t.ok(socket.authorized, name)
    socket.destroy()
  }
  const byAddress = connect({ host: '127.0.0.1', port, ca: caPem })
  await once(byAddress, 'secureConnect')
  t.ok(byAddress.authorized, 'by its address')
  byAddress.destroy()
  await t.rejects(handshake(port, caPem, 'elsewhere.example.com'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  const stranger = await issueCa({ commonName: 'stranger', days: 9 })
  await t.rejects(handshake(port, stranger.certificate), { code: /UNABLE_TO/ })
})

t.test('only the owner may read the keys', async t => {
  const dir = t.testdir({})
  await ensureDevelopmentPair(dir, names)
  const modes = ['ca.key', 'tls.key', 'ca.crt', 'tls.crt'].map(name => (statSync(join(dir, name)).mode & 0o777).toString(8))
  t.strictSame(modes.slice(0, 2), ['600', '600'])
  t.strictSame(modes.slice(2).map(mode => Number(mode) >= 600), [true, true])
})

t.test('a good pair is used again; a leaf near its end is renewed by the same CA', async t => {
  const dir = t.testdir({})
  const { caPem } = await ensureDevelopmentPair(dir, names)
  const first = read(dir)
  await ensureDevelopmentPair(dir, names)
  t.strictSame(read(dir), first, 'at once')
  await ensureDevelopmentPair(dir, names, inDays(330))
  t.strictSame(read(dir), first, '35 days before it expires')

  const { caPem: same } = await ensureDevelopmentPair(dir, names, inDays(340))
  const renewed = read(dir)
  t.equal(same, caPem, 'clients that trust the CA still trust it')
  t.not(renewed['tls.crt'], first['tls.crt'], '25 days before it expires')
  t.ok(expiryOf(renewed['tls.crt']) > inDays(700))
  t.ok(new X509Certificate(renewed['tls.crt']).verify(new X509Certificate(caPem).publicKey))
})

t.test('a CA that its leaf would outlive is replaced', async t => {
  const dir = t.testdir({})
  const { caPem } = await ensureDevelopmentPair(dir, names)
  const late = inDays(3650 - 300)
  const { caPem: next } = await ensureDevelopmentPair(dir, names, late)
  t.not(next, caPem)
  t.ok(expiryOf(next) > expiryOf(read(dir)['tls.crt']))
})

t.test('another name is wanted', async t => {
  const dir = t.testdir({})
  const { caPem } = await ensureDevelopmentPair(dir, ['localhost'])
  const { caPem: same } = await ensureDevelopmentPair(dir, names)
  t.equal(same, caPem)
  t.match(new X509Certificate(read(dir)['tls.crt']).subjectAltName, /DNS:hook\.system\.svc,/)
})

t.test('broken files are replaced', async t => {
  for (const name of ['tls.crt', 'tls.key', 'ca.crt', 'ca.key'] as const) {
    for (const content of ['', 'rubbish', (await issue())['tls.key']]) {
      const dir = t.testdir({})
      await ensureDevelopmentPair(dir, names)
      writeFileSync(join(dir, name), content)
      const { caPem } = await ensureDevelopmentPair(dir, names)
      const files = read(dir)
      t.equal(files['ca.crt'], caPem)
      t.ok(new X509Certificate(files['tls.crt']).verify(new X509Certificate(caPem).publicKey), `${name}: ${content.slice(0, 10)}`)
    }
  }
})

t.test('several at once take the same pair', async t => {
  const dir = t.testdir({})
  const pairs = await Promise.all(Array.from({ length: 8 }, async () => await ensureDevelopmentPair(dir, names)))
  t.equal(new Set(pairs.map(({ caPem }) => caPem)).size, 1)
  t.strictSame(readdirSync(dir).sort(), ['ca.crt', 'ca.key', 'tls.crt', 'tls.key'], 'nothing else is left behind')
})

t.test('a folder that cannot be written to', async t => {
  const dir = t.testdir({ file: '' })
  await t.rejects(ensureDevelopmentPair(join(dir, 'file'), names), { code: /EEXIST|ENOTDIR/ })
})
