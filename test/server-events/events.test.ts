import t from 'tap'
import type { KubernetesObject } from '../../src/cluster/kubernetes-object.ts'
import { paint } from '../../src/command-line/paint.ts'
import { eventsOf, lineOf } from '../../src/server-events/events.ts'

const event = (name: string, kind: string, of: string, rest: object) => ({
  apiVersion: 'events.k8s.io/v1', kind: 'Event', metadata: { name, uid: name, resourceVersion: '10' }, regarding: { kind, name: of }, type: 'Normal', reason: name, note: 'x', ...rest,
}) as KubernetesObject

t.test('events about a server and its objects, by the time at which they were last seen', async t => {
  const found = eventsOf([
    event('Repeated', 'Pod', 'demo-0', { deprecatedFirstTimestamp: '2026-01-01T00:00:01Z', deprecatedLastTimestamp: '2026-01-01T00:00:30Z', deprecatedCount: 4, eventTime: null }),
    event('Series', 'DittoServer', 'demo', { eventTime: '2026-01-01T00:00:02.000000Z', series: { count: 2, lastObservedTime: '2026-01-01T00:00:20.000000Z' } }),
    event('Second', 'DittoServer', 'demo', { eventTime: '2026-01-01T00:00:03.000000Z', metadata: { name: 'b', uid: 'b', resourceVersion: '100' } }),
    event('First', 'StatefulSet', 'demo', { eventTime: '2026-01-01T00:00:03.000000Z', metadata: { name: 'a', uid: 'a', resourceVersion: '99' } }),
    event('Claim', 'PersistentVolumeClaim', 'metadata-demo-0', { eventTime: '2026-01-01T00:00:01.000000Z' }),
    event('Other', 'Pod', 'demo-1', { eventTime: '2026-01-01T00:00:01.000000Z' }),
    event('Foreign', 'DittoServer', 'demo2', { eventTime: '2026-01-01T00:00:01.000000Z' }),
    event('Namesake', 'Deployment', 'demo', { eventTime: '2026-01-01T00:00:01.000000Z' }),
  ], 'demo')
  t.strictSame(found.map(({ reason }) => reason), ['Claim', 'First', 'Second', 'Series', 'Repeated'], 'of the same time, in the order in which they were written')
  t.match(found.at(-1), { count: 4, first: '2026-01-01T00:00:01Z', time: '2026-01-01T00:00:30Z', object: { kind: 'Pod', name: 'demo-0' } })
  t.match(found.at(-2), { count: 2, time: '2026-01-01T00:00:20.000000Z' })
})

t.test('a line', async t => {
  const [found] = eventsOf([event('Pulling', 'Pod', 'demo-0', { eventTime: '2026-01-01T00:00:00.000000Z', series: { count: 3 }, note: 'two\nlines', type: 'Warning' })], 'demo')
  if (!found) throw new Error('none')
  const text = paint(lineOf(found, new Date('2026-01-01T00:05:00Z')), { colours: false })
  t.equal(text, '5m      Warning Pod demo-0                            Pulling                 two lines (3 times)')
  t.match(paint(lineOf(found, undefined), { colours: false }), /^2026-01-01T00:00:00Z {2}Warning /)
})
