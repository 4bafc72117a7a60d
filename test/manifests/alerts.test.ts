import { readFile } from 'node:fs/promises'
import t from 'tap'
import { parseAllDocuments } from 'yaml'
import { alerts, job } from '../../src/manifests/install/alerts.ts'
import { dashboard } from '../../src/manifests/install/dashboard.ts'
import type { Impairment, Obstacle } from '../../src/health/readiness.ts'
import { createMetrics } from '../../src/metrics.ts'
import { promtool, promtoolOrSkip } from './promtool.ts'
import { scraped, scrapeInterval, type Behaviour, type Phase, type Series } from './scraped.ts'

type AlertName = typeof alerts[number]['alert']

const day = 86_400
const watched = ['DittoServer', 'StatefulSet', 'StorageClass']
const together = (...behaviours: readonly Behaviour[]): Behaviour => metrics => { for (const one of behaviours) one(metrics) }

const leads: Behaviour = metrics => metrics.leading('dittofs-operator', () => true)
const follows: Behaviour = metrics => metrics.leading('dittofs-operator', () => false)
const watches: Behaviour = metrics => metrics.watches(() => watched.map(kind => ({ kind, silentSeconds: 20, stale: false })))
const staleWatches: Behaviour = metrics => metrics.watches(() => watched.map(kind =>
  ({ kind, silentSeconds: kind === 'StatefulSet' ? 400 : 20, stale: kind === 'StatefulSet' })))
const certificate = (days: number, ofCa = 3650): Behaviour => ({ certificateExpiry, caExpiry, certificateReads }) => {
  certificateExpiry.set(days * day)
  caExpiry.set(ofCa * day)
  certificateReads.inc(3)
}
const reviews = (count: number, seconds = 0.004, code = 200): Behaviour => ({ webhookRequests, webhookLatency }) => {
  for (const webhook of ['mutate', 'validate']) {
    webhookRequests.inc({ webhook, code }, count)
    if (code === 200) for (let each = 0; each < count; each++) webhookLatency.observe({ webhook }, seconds)
  }
}
const passes = (count: number, failed = false): Behaviour => ({ queue }) => {
  for (let each = 0; each < count; each++) {
    queue.started(0.001)
    queue.finished(0.02, failed)
  }
}
const waiting: Behaviour = metrics => metrics.queue.depth(() => 4)

const readiness = (obstacles: readonly Obstacle['reason'][], impairments: readonly Impairment['reason'][] = []): Behaviour => metrics => {
  const [notReady, impaired] = [obstacles.map(reason => ({ reason, message: '' })), impairments.map(reason => ({ reason, message: '' }))]
  metrics.readiness({ notReady: () => notReady, impaired: () => impaired })
}
const changes: Behaviour = metrics => { metrics.dittoServerChanged() }

const leader = together(leads, watches, certificate(90), reviews(20), passes(5), changes, readiness([]))
const follower = together(follows, watches, certificate(90), reviews(20), changes, readiness([]))
const fresh: Behaviour = () => {}

/** An operator of someone else, which exports metrics of the same names. */
const stranger = async (does: Behaviour, state: Phase['state'] = 'up') =>
  await scraped('other-0', [{ minutes: 300, does, state }], 'other-operator-metrics')
const illStranger = together(follows, staleWatches, changes, readiness(['NoCertificate'], ['MutatingWebhookNotTrusting']), certificate(1, 1), reviews(20, 4), reviews(20, 0, 500), passes(10, true), waiting,
  ({ webhookPanics, certificateErrors, caInjectionErrors }) => {
    for (const counter of [webhookPanics, certificateErrors, caInjectionErrors]) counter.inc()
  })
const wellStranger = together(leads, watches, certificate(90), reviews(1000), passes(100))

const minutesOf = (duration: string) => {
  const { count = '', unit = '' } = /^(?<count>\d+)(?<unit>[mh])$/.exec(duration)?.groups ?? {}
  if (!count) throw new Error(`'${duration}' is not in minutes or hours`)
  return Number(count) * (unit === 'h' ? 60 : 1)
}

interface Expected { readonly minute: number, readonly firing: Readonly<Partial<Record<AlertName, object>>> }

/** The expected result of promtool for every alert at each of these times. */
const testOf = (name: string, series: readonly Series[], expected: readonly Expected[]) => ({
  name,
  interval: scrapeInterval,
  input_series: series,
  alert_rule_test: expected.flatMap(({ minute, firing }) => alerts.map(({ alert, labels, annotations }) => {
    const own = firing[alert]
    return { eval_time: `${minute}m`, alertname: alert, exp_alerts: own ? [{ exp_labels: { ...labels, ...own }, exp_annotations: annotations }] : [] }
  })),
})

/** A leader fails after an hour, possibly with another replica running. */
interface Ill {
  readonly alert: AlertName
  readonly how: string
  readonly becomes: Omit<Phase, 'minutes'>
  readonly other?: Behaviour
  /** The labels of the alert, in addition to its severity. */
  readonly labels?: object
}

const broken = 60
/** Until a fault that shows in rates has shown, at the longest. */
const shows = 11

const illnesses: readonly Ill[] = [
  { alert: 'DittofsOperatorDown', how: 'the only pod does not answer', becomes: { state: 'down' } },
  { alert: 'DittofsOperatorDown', how: 'there is no pod', becomes: { state: 'gone' } },
  {
    alert: 'DittofsOperatorNotReady', how: 'each for its own reason', becomes: { does: together(leader, readiness(['CertificateNotTrusted'])) }, other: together(follower, readiness(['NoCertificate'])),
  },
  { alert: 'DittofsOperatorNoReviews', how: 'the validating configuration is gone', becomes: { does: together(leads, watches, certificate(90), changes, reviews(0), readiness([])) } },
  {
    alert: 'DittofsOperatorImpaired', how: 'one of two', becomes: { does: together(leader, readiness([], ['CertificateSecretNotSeen'])) }, other: follower, labels: { reason: 'CertificateSecretNotSeen' },
  },
  { alert: 'DittofsOperatorNoLeader', how: 'nobody takes over', becomes: { does: follower }, other: follower },
  { alert: 'DittofsOperatorWatchStale', how: 'on the leader', becomes: { does: together(leads, staleWatches, certificate(90)) }, other: follower, labels: { kind: 'StatefulSet' } },
  { alert: 'DittofsOperatorQueueStuck', how: 'after it has worked', becomes: { does: together(leads, watches, waiting) }, other: follower, labels: { pod: 'a' } },
  {
    alert: 'DittofsOperatorQueueStuck',
    how: 'from the start of a process',
    becomes: { does: together(leads, watches, waiting), restarted: true },
    other: follower,
    labels: { pod: 'a' },
  },
  { alert: 'DittofsOperatorReconcileErrors', how: 'one server, once a minute', becomes: { does: together(leader, metrics => metrics.queue.finished(1, true)) }, other: follower },
  { alert: 'DittofsOperatorWebhookErrors', how: 'all, on one of two', becomes: { does: together(leads, reviews(20, 0, 429)) }, other: follower },
  { alert: 'DittofsOperatorWebhookErrors', how: 'the first ones ever', becomes: { does: together(leads, reviews(1, 0, 500)), restarted: true } },
  { alert: 'DittofsOperatorWebhookFaults', how: 'again and again', becomes: { does: together(leader, ({ webhookPanics }) => webhookPanics.inc()) }, other: follower },
  { alert: 'DittofsOperatorWebhookSlow', how: 'one of two replicas', becomes: { does: together(leads, reviews(20, 4)) }, other: follower },
  { alert: 'DittofsOperatorCertificateExpiring', how: 'of one of two', becomes: { does: together(leader, certificate(6)) }, other: follower },
  { alert: 'DittofsOperatorCertificateExpiring', how: 'expired', becomes: { does: together(leader, certificate(0.01)) }, other: together(follows, watches) },
  { alert: 'DittofsOperatorCAExpiring', how: 'of one of two', becomes: { does: together(leader, certificate(90, 20)) }, other: follower },
  { alert: 'DittofsOperatorCertificateRefused', how: 'at every look', becomes: { does: together(leader, ({ certificateErrors }) => certificateErrors.inc(3)) }, other: follower },
  { alert: 'DittofsOperatorCABundleNotInjected', how: 'at every look', becomes: { does: together(leader, ({ caInjectionErrors }) => caInjectionErrors.inc(3)) }, other: follower },
]

async function illnessTest ({ alert, how, becomes, other, labels = {} }: Ill) {
  const lasts = minutesOf(alerts.find(one => one.alert === alert)?.for ?? '')
  const series = [
    ...await scraped('a', [{ minutes: broken, does: leader }, { minutes: 180, ...becomes }]),
    ...other ? await scraped('b', [{ minutes: 240, does: other }]) : [],
    ...await stranger(wellStranger),
  ]
  const firing = { [alert]: labels }
  return testOf(`${alert}: ${how}`, series, [
    { minute: broken - 1, firing: {} },
    ...lasts > 0 ? [{ minute: broken + lasts - 1, firing: {} }] : [],
    { minute: broken + lasts + shows, firing },
    { minute: broken + lasts + 60, firing },
  ])
}

const once = (behaviour: Behaviour, count: Behaviour): readonly Phase[] =>
  [{ minutes: 60, does: behaviour }, { minutes: 1, does: together(behaviour, count) }, { minutes: 120, does: behaviour }]

/** Situations that must not fire an alert. */
const healthy: Readonly<Record<string, readonly (readonly Phase[])[]>> = {
  'two replicas at work': [[{ minutes: 180, does: leader }], [{ minutes: 180, does: follower }]],
  'nobody asks anything': [
    [{ minutes: 180, does: together(leads, watches, certificate(90)) }],
    [{ minutes: 180, does: together(follows, watches, certificate(90)) }],
  ],
  'a process that has only begun, and leads three minutes later': [
    [{ minutes: 1, does: fresh }, { minutes: 2, does: together(follows, watches) }, { minutes: 177, does: leader }],
  ],
  'without the webhook there is no certificate, and are no reviews': [[{ minutes: 180, does: together(leads, watches, passes(1), changes, readiness([])) }]],
  'without the controller nobody leads': [
    [{ minutes: 180, does: together(watches, certificate(90), reviews(3)) }],
    [{ minutes: 180, does: together(watches, certificate(90)) }],
  ],
  'a certificate from files: the operator has no CA to report': [[{ minutes: 180, does: together(leader, certificate(30, 0)) }]],
  'restarts, after which counters begin at zero': [
    [
      { minutes: 40, does: leader },
      { minutes: 1, does: together(leader, passes(2, true)) },
      ...[30, 40, 69].map(minutes => ({ minutes, does: leader, restarted: true })),
    ],
    [{ minutes: 180, does: follower }],
  ],
  'a rolling update, with new names of pods': [
    [{ minutes: 60, does: leader }, { minutes: 120, state: 'gone' }],
    [{ minutes: 61, does: follower }, { minutes: 119, state: 'gone' }],
    [{ minutes: 60, state: 'gone' }, { minutes: 120, does: leader }],
    [{ minutes: 60, state: 'gone' }, { minutes: 2, does: fresh }, { minutes: 118, does: follower }],
  ],
  'one replica of two is not ready': [
    [{ minutes: 60, does: leader }, { minutes: 120, does: together(leader, readiness(['NoCertificate'])) }],
    [{ minutes: 180, does: follower }],
  ],
  'nobody changes anything': [[{ minutes: 180, does: together(leads, watches, certificate(90), reviews(0), readiness([])) }]],
  'one replica of two is away': [
    [{ minutes: 60, does: leader }, { minutes: 120, state: 'down' }],
    [{ minutes: 60, does: follower }, { minutes: 120, does: leader }],
  ],
  'an outage of the API server that lasts five minutes': [
    [
      { minutes: 60, does: leader },
      { minutes: 5, does: together(leader, staleWatches, passes(3, true), reviews(2, 4)) },
      { minutes: 115, does: leader },
    ],
    [{ minutes: 60, does: follower }, { minutes: 5, does: together(follower, staleWatches) }, { minutes: 115, does: follower }],
  ],
  'a certificate is refused once': [once(leader, ({ certificateErrors }) => certificateErrors.inc())],
  'a bundle cannot be written once': [once(leader, ({ caInjectionErrors }) => caInjectionErrors.inc())],
  'a single review fails, and there is no other': [once(together(leads, watches, certificate(90)), reviews(1, 0, 500))],
  'a server that needs long while others wait': [[{ minutes: 180, does: together(leader, waiting) }]],
}

async function healthyTest (name: string, processes: readonly (readonly Phase[])[]) {
  const pods = await Promise.all(processes.map(async (phases, index) => await scraped(`pod-${index}`, phases)))
  const moments = Array.from({ length: 59 }, (_, index) => ({ minute: 3 * index + 1, firing: {} }))
  return testOf(name, [...pods.flat(), ...await stranger(illStranger)], moments)
}

/** The groups as they are installed. */
async function installedGroups () {
  const text = await readFile(new URL('../../manifests/components/monitoring/monitoring.yaml', import.meta.url), 'utf8')
  const objects = parseAllDocuments(text).map(document => document.toJS() as { kind: string, spec: { groups: object[] } })
  const found = objects.find(({ kind }) => kind === 'PrometheusRule')
  if (!found) throw new Error('no PrometheusRule')
  return { groups: found.spec.groups }
}

t.test('alerts, by promtool', async t => {
  const program = await promtoolOrSkip(t)
  if (program === undefined) return
  const rules = await installedGroups()
  const found = async (...tests: readonly object[]) =>
    await promtool(program, t, ['test', 'rules'], { 'rules.yaml': rules, 'tests.yaml': { rule_files: ['rules.yaml'], evaluation_interval: scrapeInterval, tests } })

  t.equal(await promtool(program, t, ['check', 'rules', '--lint-fatal'], { 'rules.yaml': rules }), '', 'the rules are well-formed')
  for (const illness of illnesses) t.equal(await found(await illnessTest(illness)), '', `${illness.alert} fires, and no other: ${illness.how}`)
  for (const [name, processes] of Object.entries(healthy)) t.equal(await found(await healthyTest(name, processes)), '', `none fires: ${name}`)
  t.strictSame([...new Set(illnesses.map(({ alert }) => alert))].toSorted(), alerts.map(({ alert }) => alert).toSorted(), 'each alert has been made to fire')

  const panels = dashboard.panels.flatMap(({ targets }, index) => targets.map(({ expr }) =>
    ({ record: `panel:${index}`, expr: expr.replaceAll('$__rate_interval', '2m') })))
  const groups = [{ name: 'panels', rules: panels }]
  t.equal(await promtool(program, t, ['check', 'rules'], { 'panels.yaml': { groups } }), '', 'the dashboard can be parsed')
})

t.test('alerts and dashboard use only existing metrics, and only our own job', async t => {
  const exported = (await createMetrics().registry.getMetricsAsJSON()).flatMap(({ name, type }) =>
    String(type) === 'histogram' ? ['bucket', 'sum', 'count'].map(suffix => `${name}_${suffix}`) : [name])
  const known = new Set(['up', ...exported])
  const words = new Set(['absent', 'and', 'by', 'histogram_quantile', 'increase', 'max', 'min', 'on', 'rate', 'sum', 'time', 'unless'])
  const ours = `job="${job}"`
  const expressions = [...alerts.map(({ expr }) => expr), ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))]
  for (const expression of expressions) {
    const selectors = [...expression.matchAll(/(\w+)\{([^}]*)\}/g)]
    t.ok(selectors.length > 0, expression)
    for (const [, name = '', matchers = ''] of selectors) {
      t.ok(known.has(name), `${name} is exported`)
      t.ok(matchers.split(', ').includes(ours), `${name} is ours`)
    }
    // Else a metric without any matcher would not be seen.
    const rest = expression.replaceAll(/\w+\{[^}]*\}|\[[^\]]*\]|\b(by|on) \([^)]*\)/g, '')
    t.strictSame(rest.match(/[a-z_]{2,}/gi)?.filter(word => !words.has(word)) ?? [], [], 'nothing else is named')
  }
})
