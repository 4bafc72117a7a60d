import t from 'tap'
import { Readiness, type Impairment, type Obstacle } from '../../src/health/readiness.ts'

const expired = (date: string): Obstacle => ({ reason: 'CertificateNotValid', message: `the serving certificate expired on ${date}` })
const unseen = (seconds: number): Impairment => ({ reason: 'CertificateSecretNotSeen', message: `not seen for ${seconds} s` })

t.test('each change is logged, with its reasons', async t => {
  const lines: unknown[] = []
  const log = { info: (...line: unknown[]) => { lines.push(['info', ...line]) }, warn: (...line: unknown[]) => { lines.push(['warn', ...line]) } }
  let obstacles: Obstacle[] = [{ reason: 'NoCertificate', message: 'there is no serving certificate yet' }]
  let impairments: Impairment[] = []
  let now = 0
  const readiness = new Readiness({ log, now: () => now })
  readiness.add({ notReady: () => obstacles })
  readiness.add({ impaired: () => impairments })
  const told = () => {
    readiness.tell()
    return lines.splice(0)
  }
  impairments = [unseen(1)]
  t.strictSame(told(), [['info', { reasons: ['there is no serving certificate yet'] }, 'not ready yet']], 'a start is no fault')
  t.strictSame(told(), [])
  now = 29_999
  t.strictSame(told(), [])
  now = 30_000
  t.strictSame(told(), [
    ['warn', { reasons: ['there is no serving certificate yet'] }, 'not ready'],
    ['warn', { reasons: ['not seen for 1 s'] }, 'impaired: the process answers, but has a problem'],
  ], 'one that lasts is')
  impairments = []
  t.strictSame(told(), [['info', {}, 'no longer impaired']])
  obstacles = []
  t.strictSame(told(), [['info', {}, 'ready']])
  obstacles = [expired('2026-01-01')]
  impairments = [unseen(301)]
  t.strictSame(told(), [
    ['warn', { reasons: ['the serving certificate expired on 2026-01-01'] }, 'not ready'],
    ['warn', { reasons: ['not seen for 301 s'] }, 'impaired: the process answers, but has a problem'],
  ])
  impairments = [unseen(302)]
  t.strictSame(told(), [], 'the time alone is no news')
  obstacles = [expired('2026-01-01'), { reason: 'Draining', message: 'draining' }]
  t.match(told(), [['warn', { reasons: [/expired/, 'draining'] }, 'not ready']])
  obstacles = []
  impairments = []
  t.strictSame(told(), [['info', {}, 'ready'], ['info', {}, 'no longer impaired']])
})

t.test('changes are noticed without a probe', async t => {
  const { promise, resolve } = Promise.withResolvers<string>()
  const readiness = new Readiness({ log: { info: (_fields, message) => { resolve(message) }, warn: () => {} } })
  readiness.start(5)
  // Its timer keeps no process alive.
  const alive = setTimeout(() => {}, 20_000)
  t.equal(await promise, 'ready')
  readiness.stop()
  clearTimeout(alive)
})
