import { pino } from 'pino'
import t from 'tap'
import { admitMutation, admitValidation } from '../../src/admission/admit.ts'
import { reviewRecorder } from '../../src/admission/review-log.ts'
import { parseReview, type AdmissionResponse, type RequestHead } from '../../src/admission/review.ts'
import { mostErrors, patched, refusedWith, respond } from '../../src/admission/respond.ts'
import { withPatch } from '../../src/admission/mutate.ts'
import { createMetrics } from '../../src/metrics.ts'
import type { Finding } from '../../src/rules/finding.ts'
import { defaultPolicy } from '../../src/rules/policy.ts'
import { embedded, review, server, storageClasses } from './webhook.ts'

// From a review to its answer, without a server.

t.test('what a request says of itself', async t => {
  const { head, object, oldObject } = parseReview(review({ subResource: 'status', dryRun: true }))
  t.strictSame(head, {
    uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
    kind: { group: 'dittofs.dittofs.com', version: 'v1alpha1', kind: 'DittoServer' },
    subResource: 'status',
    operation: 'CREATE',
    namespace: 'files',
    name: 'demo',
    dryRun: true,
    user: 'alice',
  })
  t.strictSame([object, oldObject], [server(), null])
  const nonsense = { object: undefined, oldObject: undefined, dryRun: 'true', userInfo: 'alice', name: 7, namespace: 'x'.repeat(300), kind: {} }
  const odd = parseReview(review(nonsense))
  t.match(odd, { object: null, oldObject: null, head: { dryRun: false, user: '', name: '', kind: { group: '', version: '', kind: '' } } })
  t.equal([...odd.head.namespace].length, 253, 'no longer than it may be in a cluster')
})

t.test('what is no review', async t => {
  const refused = (body: unknown, message: RegExp) => t.throws(() => parseReview(body), { name: 'NotAReview', statusCode: 400, message })
  for (const body of [null, 7, [], {}, { ...review(), kind: 'Review' }]) refused(body, /^the body must be an AdmissionReview$/)
  refused({ ...review(), apiVersion: 'admission.k8s.io/v1beta1' }, /admissionReviewVersions/)
  for (const request of [undefined, null, []]) refused({ ...review(), request }, /must have a request/)
  for (const uid of [undefined, '', 7]) refused(review({ uid }), /must have a uid/)
  refused(review({ uid: 'x'.repeat(257) }), /at most 256 characters/)
  t.equal(parseReview(review({ uid: 'x'.repeat(256) })).head.uid.length, 256)
  for (const kind of [undefined, 'DittoServer', []]) refused(review({ kind }), /must have a kind/)
  for (const operation of [undefined, 7]) refused(review({ operation }), /must have an operation/)
})

const cluster = embedded(storageClasses)
const validate = async (over: object) => (await admitValidation(parseReview(review(over)), cluster, defaultPolicy, 1_000)).response
const mutated = (over: object) => admitMutation(parseReview(review(over))).response
const decoded = ({ patch = '' }: AdmissionResponse) => Buffer.from(patch, 'base64').toString()

t.test('what is not ours to judge', async t => {
  const wrong = server({ nfsPort: 0 })
  t.equal((await validate({ object: wrong })).allowed, false)
  for (const kind of [{ group: 'dittofs.dittofs.com', version: 'v1', kind: 'Other' }, { group: 'other', version: 'v1alpha1', kind: 'DittoServer' }]) {
    const { allowed, warnings } = await validate({ kind, object: wrong })
    t.equal(allowed, true)
    t.match(warnings, [`not checked: '${kind.kind}.${kind.group}' is no DittoServer`])
  }
  for (const over of [{ operation: 'DELETE' }, { operation: 'CONNECT' }, { subResource: 'status' }]) {
    const response = await validate({ object: wrong, ...over })
    t.strictSame(response, { uid: response.uid, allowed: true })
  }
  t.match(await validate({ object: null }), { allowed: false, status: { code: 400, message: 'the request has no object to create' } })
  t.match(await validate({ operation: 'UPDATE' }), { allowed: false, status: { code: 400, message: 'the request has no oldObject' } })
  t.match(mutated({ object: null }), { allowed: false, status: { code: 400 } })
})

t.test('an update is compared with the old object, a creation is not', async t => {
  const shrunk = { object: server({ storage: { metadataSize: '9Gi', cacheSize: '5Gi' } }), oldObject: server() }
  t.equal((await validate({ operation: 'UPDATE', ...shrunk })).allowed, false)
  t.equal((await validate({ operation: 'CREATE', ...shrunk })).allowed, true)
  const emptied = { object: server({ storage: { metadataSize: '9Gi', cacheSize: '' } }), oldObject: server({ storage: { cacheSize: '7Gi' } }) }
  t.match(decoded(mutated({ operation: 'UPDATE', ...emptied })), '"7Gi"')
  t.match(decoded(mutated({ operation: 'CREATE', ...emptied })), '"5Gi"')
})

t.test('a dry run turns the absence of another object into a warning', async t => {
  const object = server({ storage: { metadataSize: '1Gi', cacheSize: '1Gi', storageClassName: 'gone' } })
  t.equal((await validate({ object })).allowed, false)
  t.equal((await validate({ object, dryRun: true })).allowed, true)
})

const head = { uid: 'u', name: 'demo' }
const finding = (index: number, severity: 'deny' | 'warn' = 'deny', over: Partial<Finding> = {}): Finding =>
  ({ rule: 'SCHEMA', severity, field: `spec.f${index}`, problem: 'Invalid value', found: index, detail: 'must be else', ...over })
const verdict = (errors: readonly Finding[], warnings: readonly Finding[] = []) => ({ allowed: errors.length === 0, errors, warnings })

t.test('the answer to a request that was judged', async t => {
  t.strictSame(respond(head, verdict([])), { uid: 'u', allowed: true, auditAnnotations: { decision: 'allow' } })
  t.strictSame(respond(head, { ...verdict([]), exempt: 'unchanged' }).auditAnnotations, { decision: 'allow-unchanged' })
  const { problem: _, ...unnamed } = finding(3, 'deny', { rule: 'B' })
  const warning = finding(4, 'warn', { rule: 'C' })
  const errors = [finding(1), finding(2, 'deny', { problem: 'Not found' }), unnamed]
  t.strictSame(respond(head, verdict(errors, [warning, warning])), {
    uid: 'u',
    allowed: false,
    status: {
      status: 'Failure',
      code: 422,
      reason: 'Invalid',
      message: "spec.f1: Invalid value: '1': must be else [SCHEMA]; spec.f2: Not found: '2': must be else [SCHEMA]; spec.f3: must be else [B]",
      details: {
        name: 'demo',
        group: 'dittofs.dittofs.com',
        kind: 'DittoServer',
        causes: [
          { reason: 'FieldValueInvalid', field: 'spec.f1', message: "Invalid value: '1': must be else [SCHEMA]" },
          { reason: 'FieldValueNotFound', field: 'spec.f2', message: "Not found: '2': must be else [SCHEMA]" },
          { reason: 'FieldValueForbidden', field: 'spec.f3', message: 'must be else [B]' },
        ],
      },
    },
    warnings: ["spec.f4: Invalid value: '4': must be else [C]"],
    auditAnnotations: { decision: 'deny', rules: 'SCHEMA,B,C' },
  })
  t.notOk('name' in (respond({ ...head, name: '' }, verdict(errors)).status?.details ?? {}))
})

t.test('one page of errors, and how many more', async t => {
  const causes = (count: number) => respond(head, verdict(Array.from({ length: count }, (_, index) => finding(index)))).status
  t.equal(causes(mostErrors)?.details?.causes.length, mostErrors)
  t.notMatch(causes(mostErrors)?.message, /more errors/)
  t.match(causes(mostErrors + 2)?.message, /; and 2 more errors$/)
  t.strictSame(causes(mostErrors + 2)?.details?.causes.slice(mostErrors), [{ reason: 'FieldValueForbidden', field: 'spec', message: 'and 2 more errors' }])
})

t.test('a patch comes with its type, and neither comes alone', async t => {
  t.strictSame(patched(head, []), { uid: 'u', allowed: true, auditAnnotations: { decision: 'unchanged' } })
  const patch = [{ op: 'add', path: '/spec/a', value: 'b' }] as const
  t.strictSame(patched(head, patch), {
    uid: 'u', allowed: true, patch: Buffer.from(JSON.stringify(patch)).toString('base64'), patchType: 'JSONPatch', auditAnnotations: { decision: 'defaulted' },
  })
  const object = { spec: { c: 1 }, other: [] }
  t.strictSame(withPatch(object, patch), { spec: { c: 1, a: 'b' }, other: [] })
  t.strictSame(object, { spec: { c: 1 }, other: [] }, 'the object that was given stays as it is')
  t.strictSame(withPatch({ spec: 5 }, patch), { spec: 5 }, 'what is no object takes no field')
  t.strictSame(refusedWith(head, 400, 'BadRequest', 'no'), {
    uid: 'u', allowed: false, status: { status: 'Failure', code: 400, reason: 'BadRequest', message: 'no' },
  })
})

t.test('each review leaves a log line and is counted', async t => {
  const lines: Record<string, unknown>[] = []
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) })
  const metrics = createMetrics()
  const record = reviewRecorder(log as never, metrics)
  const { head } = parseReview(review())
  const say = (webhook: 'mutate' | 'validate', over: Partial<RequestHead>, response: Partial<AdmissionResponse>, findings?: ReturnType<typeof verdict>) => {
    const whole = { uid: head.uid, allowed: true, ...response }
    record(webhook, { ...head, ...over }, { response: whole, ...(findings ? { verdict: findings } : {}) }, 1.23456)
  }
  say('validate', {}, {})
  t.strictSame(Object.keys(lines[0] ?? {}).filter(key => !['level', 'time', 'pid', 'hostname', 'msg'].includes(key)), [
    'webhook', 'uid', 'operation', 'namespace', 'name', 'user', 'dryRun', 'allowed', 'ms',
  ])
  const { uid, operation, namespace, name, user, dryRun } = head
  t.match(lines[0], { webhook: 'validate', uid, operation, namespace, name, user, dryRun, allowed: true, ms: 1.23 })
  say('validate', {}, { allowed: false }, verdict([finding(1)], [finding(2, 'warn', { rule: 'PORT-PRIV' })]))
  t.match(lines[1], { allowed: false, rules: ['SCHEMA', 'PORT-PRIV'] })
  say('mutate', {}, { patch: 'x' })
  t.match(lines[2], { webhook: 'mutate', patched: true })
  for (const operation of ['UPDATE', 'DELETE', 'CONNECT', 'PATCH', 'MERGE', 'MERGE']) say('validate', { operation, dryRun: operation === 'UPDATE' }, {})
  const counts = async (metric: { get: () => Promise<{ values: { labels: object, value: number }[] }> }) =>
    Object.fromEntries((await metric.get()).values.filter(({ value }) => value > 0).map(({ labels, value }) => [Object.values(labels).join(' '), value]))
  t.strictSame(await counts(metrics.decisions as never), {
    'CREATE allow false': 1, 'CREATE deny false': 1, 'UPDATE allow true': 1, 'DELETE allow false': 1, 'CONNECT allow false': 1, 'other allow false': 3,
  })
  t.strictSame(await counts(metrics.findings as never), { 'SCHEMA deny': 1, 'PORT-PRIV warn': 1 })
})
