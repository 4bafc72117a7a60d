import { X509Certificate } from 'node:crypto'
import { generate } from 'selfsigned'
import t from 'tap'
import { judgeCertificate, remedies } from '../../src/doctor/certificate.ts'
import { withComponents } from '../../src/manifests/install/installation.ts'
import { objectsOf } from '../manifests/objects.ts'
import { issue } from '../tls/certificates.ts'

const host = 'localhost'
const pair = await issue()
const [leaf, ca] = [String(pair['tls.crt']), String(pair['ca.crt'])]
const stranger = (await generate([{ name: 'commonName', value: 'stranger' }], { keyType: 'ec', algorithm: 'sha256' })).cert
const fix = 'kubectl annotate secret tls dittofs.dittofs.com/rotate=certificate'
const judge = (pem: string, bundle: string, name = host, now = new Date(), mutating = bundle) =>
  judgeCertificate({ pem, bundle, mutating, host: name, fix }, now)

t.test('one that the bundle vouches for', async t => {
  t.match(judge(leaf, ca), { status: 'ok', detail: /trusted, and valid for \d+ days/ })
  t.match(judge(leaf, `${stranger}\n${ca}`), { status: 'ok' }, 'among others, as during a rotation')
})

t.test('certificates from other sources: the problem and its remedy', async t => {
  t.match(judge(leaf, stranger), { status: 'wrong', detail: /it is not signed by a CA in the caBundle of the validating configuration/, fix: /^kubectl .*rotate=certificate/ })
  t.match(judge(leaf, ca, 'elsewhere.example.com'), { status: 'wrong', detail: /is not valid for elsewhere/ })
  t.match(judge(leaf, ca, host, new Date('2200-01-01')), { status: 'wrong', detail: /expired on/ })
  t.match(judge('', ca), { status: 'wrong', detail: /no certificate/ })
  t.match(judge('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', ca), { status: 'wrong', detail: /cannot be read/ })
})

t.test('what works, but not as it should', async t => {
  t.match(judge(leaf, ca, host, new Date(), stranger), { status: 'warning', detail: /caBundle of the mutating configuration: no defaults/ })
  const { validToDate } = new X509Certificate(leaf)
  t.match(judge(leaf, ca, host, new Date(validToDate.getTime() - 3 * 86_400_000)), { status: 'warning', detail: /expires in [23] days/ })
})

t.test('with cert-manager, the remedy names the Certificate of the Secret', async t => {
  const found = objectsOf(withComponents(['cert-manager'])).find(object =>
    object.kind === 'Certificate' && (object as unknown as { spec: { secretName: string } }).spec.secretName === 'dittofs-operator-tls')
  t.equal(remedies['cert-manager']('place', 'dittofs-operator-tls'), `kubectl -n place describe certificate ${found?.metadata.name}`)
})
