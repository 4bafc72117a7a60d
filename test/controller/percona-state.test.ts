import t from 'tap'
import type { KubernetesObject } from '../../src/cluster/kubernetes-object.ts'
import { isPerconaClusterOf, notRecognised, perconaState } from '../../src/controller/percona-state.ts'
import { readDittoServer } from '../../src/dittoserver/dittoserver.ts'
import { perconaCluster } from '../../src/render/percona-cluster.ts'

const spec = { storage: { metadataSize: '1Gi' }, percona: { enabled: true } }
const { server } = readDittoServer({ metadata: { name: 'files', namespace: 'team' }, spec })

const cluster = (rest: object = {}, metadata: object = {}): KubernetesObject =>
  ({ apiVersion: 'pgv2.percona.com/v2', kind: 'PerconaPGCluster', metadata: { name: 'files-postgres', generation: 2, ...metadata }, ...rest })

t.test('the states of a cluster', async t => {
  const of = (status: object) => perconaState(cluster({ status }), [], [])
  t.match(of({ state: 'ready' }), { status: 'True', reason: 'PerconaReady', message: 'PostgreSQL is ready.' })
  t.match(of({}), { status: 'False', reason: 'PerconaNotReady', message: "PostgreSQL cluster files-postgres is in state 'unknown'." })
  const paused = { type: 'Progressing', status: 'False', observedGeneration: 2, message: 'No spec changes will be applied.' }
  t.match(of({ state: 'initializing', conditions: [paused] }), { message: "PostgreSQL cluster files-postgres is in state 'initializing'. No spec changes will be applied." })
  t.notMatch(of({ state: 'initializing', conditions: [{ ...paused, observedGeneration: 1 }] }).message, 'No spec changes', 'of a spec that is history')
  t.equal(perconaState(cluster({ status: { state: 'ready' } }), ['A note.'], ['.spec.image']).message,
    'PostgreSQL is ready. Managed by another field manager and not changed: .spec.image. A note.')
})

t.test('the owner of a cluster', async t => {
  const isIts = isPerconaClusterOf(server)
  const rendered = perconaCluster(server, {}) as unknown as KubernetesObject
  t.ok(isIts(rendered))
  const { labels = {} } = rendered.metadata
  const others = (label: string) => Object.fromEntries(Object.entries(labels).filter(([key]) => key !== label))
  const without = (label: string) => isIts(cluster({}, { labels: others(label) }))
  for (const label of ['app', 'instance', 'app.kubernetes.io/managed-by']) t.notOk(without(label), label)
  for (const label of ['app.kubernetes.io/name', 'app.kubernetes.io/instance']) t.ok(without(label), `${label} is for people`)
})

t.test('the advice for an unrecognised cluster never deletes it', async t => {
  const { status, reason, message } = notRecognised(server)
  t.match({ status, reason }, { status: 'False', reason: 'PerconaNotRecognised' })
  t.notMatch(message, /remove|delete/)
  const command = /kubectl label --overwrite perconapgclusters files-postgres -n team (.*)\. If it belongs/.exec(message)?.[1] ?? ''
  const labels = Object.fromEntries(command.split(' ').map(pair => pair.split('=')))
  t.ok(isPerconaClusterOf(server)(cluster({}, { labels })), 'the command that is given makes it recognised')
})
