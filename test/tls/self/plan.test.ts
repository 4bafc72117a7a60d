import { X509Certificate } from 'node:crypto'
import t from 'tap'
import { issueCa, issueLeaf, type Issued } from '../../../src/tls/issue.ts'
import { defaultTimes, plan, type Situation, type Step } from '../../../src/tls/self/plan.ts'
import { readContents } from '../../../src/tls/self/secret-contents.ts'

// One situation, one step.

const day = 24 * 3600 * 1000
const year = 365 * day
const now = new Date('2030-01-01T00:00:00Z')
const later = (milliseconds: number) => new Date(now.getTime() + milliseconds)
const names = ['hook.system.svc', '127.0.0.1', '::1']

const [ca, next] = [await issueCa({ commonName: 'one', days: 3650, now }), await issueCa({ commonName: 'two', days: 3650, now })]
const leafOf = async (by: Issued, days = 365) => await issueLeaf(by, { commonName: 'leaf', names, days, now })
const leaf = await leafOf(ca)
const parsed = ({ certificate }: Issued) => new X509Certificate(certificate)

const good = { 'tls.crt': leaf.certificate, 'tls.key': leaf.key, 'ca.crt': ca.certificate, 'ca.key': ca.key }
const secretOf = (data: Readonly<Record<string, string>>, annotations: Readonly<Record<string, string>> = {}, at = now) =>
  readContents({ data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value)])), annotations }, at)

const situation = (over: Partial<Situation> = {}): Situation =>
  ({ secret: secretOf(good), memory: undefined, adopt: [], publishedSince: () => undefined, names, ...over })
const actionOf = (over: Partial<Situation>, at = now) => plan(situation(over), at).action
const commonNames = (step: Step) => 'trust' in step ? step.trust.map(({ subject }) => subject.replace(/^CN=(\w+) .*$/, '$1')) : []

t.test('nothing to do', async t => {
  t.strictSame(plan(situation(), now), { action: 'none', until: later(year * 2 / 3) })
})

t.test('no Secret', async t => {
  t.match(plan(situation({ secret: undefined }), now), { action: 'issue', reason: 'there is no Secret', trust: [] })
  t.strictSame(commonNames(plan(situation({ secret: undefined, adopt: [parsed(next)] }), now)), ['two'], 'what was trusted stays so')
  const { serving } = secretOf(good)
  if (typeof serving === 'string') throw new Error(serving)
  const step = plan(situation({ secret: undefined, memory: { serving, trusted: [parsed(ca)] } }), now)
  t.match(step, { action: 'renew-ca', serving })
  t.strictSame(commonNames(step), ['one'])
})

t.test('a damaged Secret', async t => {
  const { 'ca.key': _, ...withoutKey } = good
  const damaged = (over: Partial<typeof good>) => ({ secret: secretOf({ ...good, ...over }) })
  t.equal(actionOf(damaged({ 'tls.crt': 'garbage' })), 'renew-certificate')
  t.equal(actionOf(damaged({ 'tls.key': ca.key })), 'renew-certificate')
  t.equal(actionOf(damaged({ 'tls.crt': '', 'tls.key': '' })), 'renew-certificate')
  t.match(plan(situation({ secret: secretOf(withoutKey) }), now), { action: 'renew-ca', reason: 'ca.key is missing' })
  t.match(plan(situation(damaged({ 'ca.key': next.key })), now), { reason: /^ca\.key belongs to no valid CA/ })
  t.match(plan(situation(damaged({ 'ca.key': 'garbage' })), now), { reason: 'ca.key cannot be read' })
  t.equal(actionOf(damaged({ 'ca.crt': 'garbage' })), 'issue')
  t.equal(actionOf({ secret: secretOf({}) }), 'issue')
  const half = `${ca.certificate}-----BEGIN CERTIFICATE-----\nhalf\n-----END CERTIFICATE-----\n`
  t.equal(actionOf(damaged({ 'ca.crt': half })), 'none', 'what cannot be read does not matter beside what can')
})

t.test('time', async t => {
  const at = (time: Date) => plan(situation({ secret: secretOf(good, {}, time) }), time)
  t.match(at(later(year * 2 / 3)), { action: 'renew-certificate', reason: 'the certificate is due' })
  t.match(at(later(year)), { action: 'renew-certificate', reason: /^tls\.crt expired on / })
  t.match(at(later(8 * year)), { action: 'renew-certificate' }, 'first something to serve')
  const old = await issueLeaf(ca, { commonName: 'leaf', names, days: 365, now: later(7.9 * year) })
  const due = later(8 * year)
  const secret = secretOf({ ...good, 'tls.crt': old.certificate, 'tls.key': old.key }, {}, due)
  t.match(plan(situation({ secret }), due), { action: 'renew-ca', reason: 'the CA is due' })
  t.match(at(later(10 * year)), { action: 'issue' })
})

t.test('a new CA signs only after it was trusted for a while', async t => {
  const secret = secretOf({ ...good, 'ca.crt': next.certificate + ca.certificate, 'ca.key': next.key })
  t.strictSame(plan(situation({ secret }), now), { action: 'none', until: undefined })
  const publishedSince = ({ fingerprint256 }: X509Certificate) => fingerprint256 === parsed(next).fingerprint256 ? now : undefined
  t.strictSame(plan(situation({ secret, publishedSince }), now), { action: 'none', until: later(defaultTimes.settle) })
  t.equal(actionOf({ secret, publishedSince }, later(defaultTimes.settle)), 'renew-certificate')
})

t.test('an old CA is trusted for an overlap', async t => {
  const leafOfNext = await leafOf(next)
  const data = {
    'tls.crt': leafOfNext.certificate, 'tls.key': leafOfNext.key, 'ca.crt': next.certificate + ca.certificate, 'ca.key': next.key,
  }
  t.strictSame(plan(situation({ secret: secretOf(data) }), now), { action: 'none', until: later(defaultTimes.overlap) })
  t.equal(actionOf({ secret: secretOf(data) }, later(defaultTimes.overlap)), 'end-overlap')
  const at = later(defaultTimes.overlap)
  const extended = (since: string) => ({ secret: secretOf(data, { 'dittofs.dittofs.com/overlap-since': since }, at) })
  t.equal(actionOf(extended(later(60_000).toISOString()), at), 'none')
  t.equal(actionOf(extended(later(10 * year).toISOString()), at), 'end-overlap', 'a time to come is none')
  t.equal(actionOf(extended('yesterday'), at), 'end-overlap')
})

t.test('wishes', async t => {
  const asked = (part: string) => ({ secret: secretOf(good, { 'dittofs.dittofs.com/rotate': part }) })
  t.match(plan(situation(asked('ca')), now), { action: 'renew-ca', reason: 'asked for' })
  t.match(plan(situation(asked('authority')), now), { action: 'renew-ca', reason: 'asked for' }, 'by its earlier name')
  t.match(plan(situation(asked('certificate')), now), { action: 'renew-certificate', reason: 'asked for' })
  t.equal(actionOf(asked('everything')), 'none')
  const more = situation({ names: ['other.example', ...names.slice(1)] })
  t.match(plan(more, later(60_000)), { action: 'renew-certificate', reason: 'the certificate lacks other.example', names: ['other.example', '127.0.0.1', '::1', 'hook.system.svc'] })
  t.match(plan(more, now), { action: 'none', until: later(defaultTimes.settle) }, 'what was made a moment ago is left for a while')
})

t.test('CAs that others trust', async t => {
  t.match(plan(situation({ adopt: [parsed(next)] }), now), { action: 'extend-trust' })
  t.equal(actionOf({ adopt: [parsed(ca)] }), 'none')
  t.equal(actionOf({ adopt: [parsed(next)], secret: secretOf({ ...good, 'trust.crt': next.certificate }) }), 'none')
})
