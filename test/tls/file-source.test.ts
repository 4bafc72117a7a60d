import { X509Certificate } from 'node:crypto'
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { eventually } from '../control-plane/control-plane.ts'
import { day, expired, inDays, issue, type Files } from './certificates.ts'
import { observe, writeFiles } from './source.ts'

const fingerprintOf = ({ 'tls.crt': certificate }: Files) => new X509Certificate(certificate).fingerprint256
const holds = (source: { current (): { fingerprint256: string } | undefined }, files: Files) =>
  async () => source.current()?.fingerprint256 === fingerprintOf(files)

const first = await issue()
const second = await issue()

t.test('what is there at the start', async t => {
  const { source, logged, count } = observe(t, { directory: t.testdir({ ...first }) })
  t.equal(source.current(), undefined)
  t.throws(() => source.pair, /no serving certificate yet/)
  t.strictSame(source.notReady(), { reason: 'NoCertificate', message: 'there is no serving certificate yet' })
  await source.start()
  t.equal(source.pair.fingerprint256, fingerprintOf(first))
  t.equal(source.notReady(), undefined)
  t.equal(logged(/loaded/).length, 1)
  t.strictSame(source.pair.names, ['localhost', '127.0.0.1'])
  t.equal(count.loaded, 1)
})

t.test('nothing good at the start', async t => {
  const dir = t.testdir({ mixed: { ...first, 'tls.key': second['tls.key'] }, old: { ...await expired() } })
  const fails = async (directory: string, message: string | RegExp) => {
    const { source, lines, count } = observe(t, { directory })
    await t.rejects(source.start(), { name: 'KeyPairError', message })
    t.strictSame(lines, [], 'it is for the caller to tell')
    t.equal(count.refused, 1)
  }
  await fails(join(dir, 'nowhere'), 'the folder does not exist')
  await fails(join(dir, 'mixed'), 'tls.key does not belong to tls.crt')
  await fails(join(dir, 'old'), /^tls\.crt expired on /)
})

t.test('the first pair may be waited for', async t => {
  const directory = join(t.testdir({}), 'later')
  const { source, logged } = observe(t, { directory, waitForFiles: true })
  await source.start()
  t.strictSame(source.notReady(), { reason: 'NoCertificate', message: 'there is no serving certificate yet' })
  t.match(logged(/none to serve yet/), [{ cause: 'the folder does not exist' }])
  writeFiles(directory, first)
  await eventually(holds(source, first), 'the pair is taken')
  t.equal(source.notReady(), undefined)
})

t.test('the watch alone notices a change, long before the next poll', async t => {
  const directory = t.testdir({ ...first })
  const { source, count } = observe(t, { directory, pollInterval: 3_600_000 })
  await source.start()
  await eventually(async () => count.reads === 2, 'the look that follows the start')
  await source.reload()
  writeFiles(directory, second)
  await eventually(holds(source, second), 'the new pair', 5_000)
  t.equal(count.loaded, 2)
})

t.test('files that are changed one after the other', async t => {
  const directory = t.testdir({ ...first })
  const { source, logged, count } = observe(t, { directory })
  await source.start()
  for (const [step, [now, next]] of [[first, second], [second, first], [first, second]].entries()) {
    if (!now || !next) throw new Error('a pair of pairs')
    writeFileSync(join(directory, 'tls.crt'), next['tls.crt'])
    await eventually(async () => logged(/refused/).length > step, 'the mismatch is told')
    t.ok(await holds(source, now)(), 'the last good pair stays in use')
    writeFileSync(join(directory, 'tls.key'), next['tls.key'])
    await eventually(holds(source, next), 'the new pair')
  }
  t.match(logged(/refused; the last good one stays in use/).map(({ cause }) => cause), new Array(3).fill('tls.key does not belong to tls.crt'))
  t.ok(count.refused >= 3)
  t.equal(count.loaded, 4)
})

t.test('a fault that lasts is counted at every look, and told once', async t => {
  const directory = t.testdir({ ...first })
  const { source, logged, count } = observe(t, { directory, pollInterval: 20 })
  await source.start()
  writeFileSync(join(directory, 'tls.key'), 'rubbish')
  await eventually(async () => count.refused >= 5, 'several looks')
  t.equal(logged(/refused/).length, 1)
  writeFileSync(join(directory, 'tls.key'), 'other rubbish')
  await eventually(async () => logged(/refused/).length === 2, 'other content is told of')
  writeFileSync(join(directory, 'tls.key'), first['tls.key'])
  await eventually(async () => logged(/can be read again/).length === 1, 'the end of it is told')
  const { refused } = count
  await source.reload()
  t.equal(count.refused, refused)
  t.equal(count.loaded, 1, 'the pair that came back is the one in use')
})

t.test('a folder that vanishes and comes back, and one that is replaced', async t => {
  const directory = join(t.testdir({ tls: { ...first } }), 'tls')
  const { source, logged } = observe(t, { directory })
  await source.start()
  rmSync(directory, { recursive: true })
  await eventually(async () => logged(/refused/).length === 1, 'told')
  t.match(logged(/refused/), [{ cause: 'the folder does not exist' }])
  t.ok(await holds(source, first)(), 'still served')
  writeFiles(directory, second)
  await eventually(holds(source, second), 'the pair of the new folder')

  writeFiles(`${directory}.new`, first)
  renameSync(directory, `${directory}.old`)
  renameSync(`${directory}.new`, directory)
  await eventually(holds(source, first), 'the pair of the folder in its place')
  writeFiles(directory, second)
  await eventually(holds(source, second), 'a change in that folder')

  rmSync(directory, { recursive: true })
  mkdirSync(directory)
  await eventually(async () => logged(/refused/).some(({ cause }) => cause === 'tls.crt does not exist'), 'an empty one')
  t.ok(await holds(source, second)())
})

t.test('a certificate that expires while it is served', async t => {
  let now = new Date()
  const { source, logged } = observe(t, { directory: t.testdir({ ...first }), now: () => now })
  await source.start()
  now = inDays(30.5)
  t.match(source.notReady(), { reason: 'CertificateNotValid', message: /^the serving certificate expired on \d{4}-/ })
  await source.reload()
  await source.reload()
  t.equal(logged(/has expired/).length, 1, 'told once')
  t.ok(await holds(source, first)(), 'it stays: a client may still take it, and there is no better one')
  now = new Date(source.pair.notBefore.getTime() - day)
  t.match(source.notReady(), { reason: 'CertificateNotValid', message: /is not valid before/ })
})

t.test('a pair that comes before its time is taken when its time has come', async t => {
  let now = new Date()
  const directory = t.testdir({ ...first })
  const { source, logged } = observe(t, { directory, pollInterval: 20, now: () => now })
  await source.start()
  const early = await issue({ now: inDays(2) })
  writeFiles(directory, early)
  await eventually(async () => logged(/refused/).some(({ cause }) => /^tls\.crt is not valid before /.test(cause ?? '')), 'too early')
  t.ok(await holds(source, first)())
  now = inDays(3)
  await eventually(holds(source, early), 'the same files, later')
})

t.test('doubts are logged', async t => {
  const { source, logged } = observe(t, { directory: t.testdir({ ...first, 'ca.crt': 'rubbish' }) })
  await source.start()
  t.match(logged(/has a problem/), [{ cause: /^ca\.crt is not PEM/ }])
})

t.test('listeners', async t => {
  const directory = t.testdir({ ...first })
  const { source, logged } = observe(t, { directory })
  await source.start()
  const told: string[] = []
  source.onChange(() => { throw new Error('a faulty listener') })
  source.onChange(({ fingerprint256 }) => told.push(fingerprint256))
  const unsubscribe = source.onChange(() => told.push('unsubscribed'))
  unsubscribe()
  writeFiles(directory, second)
  await eventually(async () => told.length > 0, 'told')
  t.strictSame(told, [fingerprintOf(second)])
  t.match(logged(/could not be loaded/), [{ err: { message: 'a faulty listener' } }])
  writeFileSync(join(directory, 'note.txt'), 'of no importance')
  await source.reload()
  t.equal(told.length, 1, 'the same content is no change')
})

t.test('nothing happens after the stop', async t => {
  const directory = t.testdir({ ...first })
  const { source, count } = observe(t, { directory, pollInterval: 20 })
  await source.start()
  source.onChange(() => t.fail('a listener was called'))
  writeFiles(directory, second)
  await source.stop()
  const { reads } = count
  await source.reload()
  await delay(100)
  t.equal(count.reads, reads)
  t.ok(await holds(source, first)())
})

t.test('stopped while it starts', async t => {
  const { source } = observe(t, { directory: t.testdir({ ...first }) })
  const started = source.start()
  await source.stop()
  await t.rejects(started, /stopped before there was a serving certificate/)
})
