import { readFileSync } from 'node:fs'
import { evaluate } from '@marcbachmann/cel-js'
import t from 'tap'
import { LuaFactory } from 'wasmoon'
import { parse, parseAllDocuments } from 'yaml'
import { statusOf, type Findings, type Observation, type StatefulSetState } from '../../src/controller/status.ts'
import { readDittoServer } from '../../src/dittoserver/dittoserver.ts'

// The health checks of the examples for Argo CD (Lua) and Flux (CEL), on objects whose status the reconcile loop has written.

const example = (name: string) => readFileSync(new URL(`../../manifests/examples/${name}`, import.meta.url), 'utf8')

interface Health { readonly status: string, readonly message: string }

const { data } = parse(example('argo-cd-health.yaml')) as { data: Record<string, string> }
const lua = data['resource.customizations.health.dittofs.dittofs.com_DittoServer'] ?? ''

/** A value of JSON as a table of Lua. */
function table (value: unknown): string {
  if (Array.isArray(value)) return `{ ${value.map(table).join(', ')} }`
  if (typeof value !== 'object' || value === null) return value === undefined || value === null ? 'nil' : JSON.stringify(value)
  return `{ ${Object.entries(value).map(([key, inner]) => `[${JSON.stringify(key)}] = ${table(inner)}`).join(', ')} }`
}

/** As Argo CD runs it: with the object in `obj`, and without the library of the operating system. */
async function argoHealth (object: object): Promise<Health> {
  const engine = await new LuaFactory().createEngine({ openStandardLibs: true })
  try {
    return await engine.doString(`os, io, require = nil, nil, nil\nlocal obj = ${table(object)}\n${lua}`) as Health
  } finally {
    engine.global.close()
  }
}

interface Expressions { readonly kind: string, readonly inProgress: string, readonly failed: string, readonly current: string }

const expressions = parseAllDocuments(example('flux.yaml')).flatMap(document =>
  (document.toJS() as { spec: { healthCheckExprs?: Expressions[] } }).spec.healthCheckExprs ?? [])

/** As Flux: the first that is true. A field that does not exist yet is waited for. */
function fluxHealth (object: object): string {
  const [found] = expressions
  for (const state of ['inProgress', 'failed', 'current'] as const) {
    try {
      if (evaluate(found?.[state] ?? '', object as Record<string, unknown>) === true) return state
    } catch {
      return 'inProgress'
    }
  }
  return 'inProgress'
}

const observed = (status: Observation['status'], reason: string, message = reason): Observation => ({ status, reason, message })
const set = (change: Partial<StatefulSetState> = {}): StatefulSetState => ({
  generation: 2, observedGeneration: 2, readyReplicas: 1, availableReplicas: 1, updatedReplicas: 1, currentRevision: 'a', updateRevision: 'a', ...change,
})
const fine: Findings = { config: observed('True', 'ConfigValid'), storage: observed('True', 'StorageReady'), statefulSet: set() }
const starting: Findings = { ...fine, statefulSet: set({ readyReplicas: 0, availableReplicas: 0 }) }

/** A server after a pass with these findings. */
function serverAfter (findings: Findings, spec: object = {}, metadata: object = {}) {
  const object = {
    metadata: { name: 'files', namespace: 'default', uid: 'u', generation: 3, ...metadata }, spec: { storage: { metadataSize: '1Gi' }, ...spec },
  }
  return { ...object, status: statusOf(readDittoServer(object).server, findings, new Date('2026-01-02T03:04:05Z')) }
}

const refused = observed('False', 'PortConflict', 'spec.nfsPort: 445 is also the smb port')
const healthy = serverAfter(fine)
const unseen = { metadata: healthy.metadata, spec: healthy.spec }
const cases = {
  'it runs': { object: healthy, argo: 'Healthy', flux: 'current', message: 'The server is fully operational.' },
  'it is stopped': { object: serverAfter({ ...starting, isPodReady: false }, { replicas: 0 }), argo: 'Suspended', flux: 'current', message: /replicas is 0/ },
  'nobody has seen it': { object: unseen, argo: 'Progressing', flux: 'inProgress', message: /has not seen/ },
  'its edit is not seen yet': {
    object: { ...healthy, metadata: { ...healthy.metadata, generation: 4 } }, argo: 'Progressing', flux: 'inProgress', message: /has not seen/,
  },
  'it is being deleted': {
    object: serverAfter(fine, {}, { deletionTimestamp: '2026-01-02T03:04:05Z' }), argo: 'Progressing', flux: 'current', message: /being deleted/,
  },
  'its pod starts': { object: serverAfter(starting), argo: 'Progressing', flux: 'inProgress', message: /0 of 1 servers ready/ },
  'its claims are not bound': {
    object: serverAfter({ ...starting, pod: { reason: 'ClaimNotBound', message: 'no volume is bound' } }), argo: 'Progressing', flux: 'inProgress', message: /no volume/,
  },
  'its database starts': {
    object: serverAfter({ ...starting, database: observed('False', 'PerconaNotReady', 'initializing') }, { percona: { enabled: true } }),
    argo: 'Progressing',
    flux: 'inProgress',
    message: /DatabaseNotReady/,
  },
  'its volumes grow': { object: serverAfter({ ...fine, storage: observed('True', 'Expanding') }), argo: 'Healthy', flux: 'current', message: /operational/ },
  'its pod is replaced': { object: serverAfter({ ...fine, statefulSet: set({ updateRevision: 'b' }) }), argo: 'Progressing', flux: 'inProgress', message: /replaced/ },
  'its pod crashes': {
    object: serverAfter({ ...starting, pod: { reason: 'CrashLoopBackOff', message: 'exit code 1: no such bucket' } }),
    argo: 'Degraded',
    flux: 'inProgress',
    message: /no such bucket/,
  },
  'its image does not exist': {
    object: serverAfter({ ...starting, pod: { reason: 'ErrImagePull', message: 'cannot be pulled' } }), argo: 'Degraded', flux: 'inProgress', message: /pulled/,
  },
  'its spec is refused': { object: serverAfter({ ...fine, config: refused, stalled: refused }), argo: 'Degraded', flux: 'failed', message: /smb port/ },
  'an object belongs to something else': {
    object: serverAfter({ ...fine, config: observed('False', 'ForeignObject', 'Service files-api') }), argo: 'Degraded', flux: 'failed', message: /files-api/,
  },
  'a volume cannot grow': {
    object: serverAfter({ ...fine, storage: observed('False', 'ExpansionRefused', 'only dynamically provisioned') }), argo: 'Degraded', flux: 'failed', message: /only/,
  },
}

t.equal(expressions.length, 1)
t.equal(expressions[0]?.kind, 'DittoServer')
for (const [title, { object, argo, flux, message }] of Object.entries(cases)) {
  t.test(title, async t => {
    t.match(await argoHealth(object), { status: argo, message })
    t.equal(fluxHealth(object), flux)
  })
}
