import { createPrivateKey } from 'node:crypto'
import { generate, type SelfsignedOptions } from 'selfsigned'
import t from 'tap'
import { issueCa } from '../../src/tls/issue.ts'
import { checkKeyPair, outOfTime } from '../../src/tls/key-pair.ts'
import { ca, expired, inDays, issue, type Files } from './certificates.ts'

const check = ({ 'tls.crt': certificate, 'tls.key': key, 'ca.crt': ca }: Partial<Files>, now?: Date) =>
  checkKeyPair({ certificate: Buffer.from(certificate ?? ''), key: Buffer.from(key ?? ''), ca: ca === undefined ? undefined : Buffer.from(ca) }, now)

const good = await issue()
const other = await issue()

t.test('a good pair', t => {
  const pair = check(good)
  t.strictSame(pair.names, ['localhost', '127.0.0.1'])
  t.strictSame(pair.warnings, [])
  t.match(pair.fingerprint256, /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/)
  t.ok(pair.notBefore < new Date() && new Date() < pair.notAfter)
  t.equal(pair.ca?.toString(), good['ca.crt'])
  t.equal(check({ ...good, 'tls.crt': `${good['tls.crt']}\n${ca.certificate}` }).fingerprint256, pair.fingerprint256, 'with its CA behind it')
  t.equal(check({ ...good, 'tls.crt': `subject=CN = test\n${good['tls.crt']}`.replaceAll('\n', '\r\n') }).fingerprint256, pair.fingerprint256, 'as other tools write it')
  t.end()
})

const damaged = good['tls.crt'].replace(/(?<=CERTIFICATE-----\n.{40}).{20}/, 'AAAAAAAAAAAAAAAAAAAA')
const encrypted = (type: 'pkcs8' | 'sec1') =>
  createPrivateKey(good['tls.key']).export({ type, format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString()
const half = (pem: string) => pem.slice(0, pem.length / 2)

const refusals: Readonly<Record<string, readonly [Partial<Files>, string | RegExp]>> = {
  'an empty certificate': [{ 'tls.crt': '' }, 'tls.crt is empty'],
  'white space': [{ 'tls.crt': ' \n' }, 'tls.crt is empty'],
  'not PEM': [{ 'tls.crt': 'hello' }, 'tls.crt is not PEM: it has no BEGIN CERTIFICATE line'],
  'the files mixed up': [{ 'tls.crt': good['tls.key'], 'tls.key': good['tls.crt'] }, 'tls.crt contains a private key, not a certificate'],
  'a certificate cut off': [{ 'tls.crt': half(good['tls.crt']) }, 'tls.crt is cut off: a BEGIN CERTIFICATE line has no END line'],
  'a chain cut off': [{ 'tls.crt': `${good['tls.crt']}\n${half(ca.certificate)}` }, 'tls.crt is cut off: a BEGIN CERTIFICATE line has no END line'],
  'a damaged certificate': [{ 'tls.crt': damaged }, /^tls\.crt contains a certificate that cannot be read \([a-z0-9 ]+\)$/],
  'an empty key': [{ 'tls.key': '' }, 'tls.key is empty'],
  'a certificate for a key': [{ 'tls.key': good['tls.crt'] }, 'tls.key contains a certificate, not a private key'],
  'a key that is not PEM': [{ 'tls.key': '\u0000\u0001' }, 'tls.key is not PEM: it has no BEGIN PRIVATE KEY line'],
  'a key cut off': [{ 'tls.key': half(good['tls.key']) }, 'tls.key is cut off: the BEGIN PRIVATE KEY line has no END line'],
  'two certificates without a line break between': [
    { 'tls.crt': good['tls.crt'].trimEnd() + ca.certificate }, 'tls.crt and tls.key cannot be served (bad end line)',
  ],
  'an encrypted key': [{ 'tls.key': encrypted('pkcs8') }, 'tls.key is encrypted: a key without a passphrase is needed'],
  'an encrypted key of the older form': [{ 'tls.key': encrypted('sec1') }, 'tls.key is encrypted: a key without a passphrase is needed'],
  'a damaged key': [
    { 'tls.key': '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n' }, /^tls\.key contains a key that cannot be read( \([a-z0-9 ]+\))?$/i,
  ],
  'another\'s key': [{ 'tls.key': other['tls.key'] }, 'tls.key does not belong to tls.crt'],
  'the CA first': [
    { 'tls.crt': `${ca.certificate}\n${good['tls.crt']}` }, 'tls.crt is in the wrong order: the certificate that tls.key belongs to must be the first',
  ],
}

for (const [what, [files, message]] of Object.entries(refusals)) {
  t.test(`refused: ${what}`, t => {
    t.throws(() => check({ ...good, ...files }), { name: 'KeyPairError', message })
    t.end()
  })
}

t.test('refused: out of its time', async t => {
  const old = await expired()
  t.throws(() => check(old), { name: 'KeyPairError', message: /^tls\.crt expired on \d{4}-\d\d-\d\dT[\d:.]+Z$/ })
  t.doesNotThrow(() => check(old, inDays(-2.5)))
  t.throws(() => check(good, inDays(-1)), { name: 'KeyPairError', message: /^tls\.crt is not valid before \d{4}-/ })
  const { notBefore, notAfter } = check(good)
  t.equal(outOfTime({ notBefore, notAfter }, new Date(notAfter.getTime() - 1)), undefined)
  t.match(outOfTime({ notBefore, notAfter }, notAfter), /^expired/, 'the last moment is out')
  t.equal(outOfTime({ notBefore, notAfter }, notBefore), undefined, 'the first one is in')
})

t.test('refused: a key that OpenSSL finds too small', async t => {
  const weak = await generate([{ name: 'commonName', value: 'localhost' }], { keySize: 1024, algorithm: 'sha256' })
  t.throws(() => check({ 'tls.crt': weak.cert, 'tls.key': weak.private }), {
    name: 'KeyPairError', message: /^tls\.crt and tls\.key cannot be served \(.*too small\)$/,
  })
})

t.test('no message tells anything of the key', t => {
  const [, first = ''] = good['tls.key'].split('\n')
  for (const mangled of [half(good['tls.key']), good['tls.key'].replace('E', 'F'), good['tls.key'].replaceAll('PRIVATE', 'SECRET'), first]) {
    try {
      check({ ...good, 'tls.key': mangled })
      t.fail('refused')
    } catch (error) {
      t.notMatch((error as Error).message, first.slice(0, 8))
    }
  }
  t.end()
})

type Extension = NonNullable<SelfsignedOptions['extensions']>[number]
const selfMade = async (extensions: Extension[]) => {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], { keyType: 'ec', algorithm: 'sha256', extensions })
  return { 'tls.crt': cert, 'tls.key': key }
}
const localhost: Extension = { name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }

t.test('served, but doubtful', async t => {
  t.strictSame(check(await selfMade([localhost, { name: 'extKeyUsage', clientAuth: true }])).warnings, [
    'tls.crt is not meant for servers: its extended key usage lacks serverAuth',
  ])
  t.strictSame(check(await selfMade([{ name: 'extKeyUsage', serverAuth: true }])).warnings, [
    'tls.crt has no subject alternative name, so the API server will not accept it',
  ])
  const foreign = await issueCa({ commonName: 'foreign', days: 9 })
  const strange = 'ca.crt did not sign tls.crt, so clients that trust ca.crt will not trust this server'
  t.strictSame(check({ ...good, 'ca.crt': foreign.certificate }).warnings, [strange])
  t.strictSame(check({ ...good, 'ca.crt': `${foreign.certificate}\n${ca.certificate}` }).warnings, [], 'the old CA and the new one')
  t.strictSame(check({ ...good, 'ca.crt': '' }).warnings, ['ca.crt is empty'])
  t.equal(check({ ...good, 'ca.crt': 'rubbish' }).ca, undefined, 'rubbish is not handed on')
  const short = await issueCa({ commonName: 'short', days: 1 })
  const outlives = await issue({ by: short, days: 30 })
  t.match(check(outlives, inDays(2)).warnings, [/^ca\.crt expired on /])
  const selfSigned = await selfMade([localhost, { name: 'extKeyUsage', serverAuth: true }])
  t.strictSame(check({ ...selfSigned, 'ca.crt': selfSigned['tls.crt'] }).warnings, [], 'its own CA')
})
