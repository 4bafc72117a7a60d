import { generate } from 'selfsigned'
import t from 'tap'
import { judgeCertificate } from '../../src/doctor/webhook.ts'
import { issue } from '../tls/certificates.ts'

const host = 'localhost'
const pair = await issue()
const [leaf, ca] = [String(pair['tls.crt']), String(pair['ca.crt'])]
const stranger = (await generate([{ name: 'commonName', value: 'stranger' }], { keyType: 'ec', algorithm: 'sha256' })).cert
const judge = (pem: string, bundle: string, name = host, now = new Date()) => judgeCertificate(pem, bundle, name, now)

t.test('one that the bundle vouches for', async t => {
  t.match(judge(leaf, ca), { healthy: 'yes', detail: /trusted, for another \d+ days/ })
  t.match(judge(leaf, `${stranger}\n${ca}`), { healthy: 'yes' }, 'among others, as during a rotation')
})

t.test('what is wrong with others, and what mends it', async t => {
  t.match(judge(leaf, stranger), { healthy: 'no', detail: /no authority of the caBundle has signed it/, fix: /^kubectl .*rotate=certificate/ })
  t.match(judge(leaf, ca, 'elsewhere.example.com'), { healthy: 'no', detail: /does not speak for elsewhere/ })
  t.match(judge(leaf, ca, host, new Date('2200-01-01')), { healthy: 'no', detail: /expired on/ })
  t.match(judge('', ca), { healthy: 'no', detail: /no certificate/ })
  t.match(judge('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', ca), { healthy: 'no', detail: /cannot be read/ })
})
