import t from 'tap'
import type { ApiRequest } from '../../src/cluster/api-client.ts'
import { ApiError } from '../../src/cluster/api-error.ts'
import type { KubernetesObject } from '../../src/cluster/kubernetes-object.ts'
import type { Step } from '../../src/controller/step.ts'
import { Writer } from '../../src/controller/writer.ts'
import { child } from './observation.ts'

const { resourceVersion: _, ...metadata } = child('ConfigMap', 'demo-config').metadata
const config = { ...child('ConfigMap', 'demo-config'), metadata }
const create: Step = { do: 'create', kind: 'ConfigMap', name: 'demo-config', object: config }
const apply: Step = { do: 'apply', kind: 'ConfigMap', name: 'demo-config', object: config, uid: 'u', absorb: [] }
const patch: Step = { do: 'patch', kind: 'PersistentVolumeClaim', name: 'cache-demo-0', patch: { spec: {} }, mayBeRefused: true }
const remove: Step = { do: 'delete', kind: 'Service', name: 'demo-metrics', uid: 'u', propagation: 'Background' }

/** Answers in turn; the last answer is repeated. */
function writerWith (...answers: (object | Error)[]) {
  const sent: ApiRequest[] = []
  const written: string[] = []
  let closed = false
  const writer = new Writer({
    client: {
      request: async <Reply>(request: ApiRequest) => {
        request.beforeSend?.()
        sent.push(request)
        const answer = answers.length > 1 ? answers.shift() : answers[0]
        if (answer instanceof Error) throw answer
        return await Promise.resolve(answer as Reply)
      },
    },
    fence: () => { if (closed) throw new Error('not leading') },
    onWritten: (server, kind, { metadata }) => { written.push(`${server} ${kind} ${metadata.resourceVersion ?? ''}`) },
  })
  const context = { server: 'files/demo', namespace: 'files', signal: new AbortController().signal }
  const carryOut = async (...steps: Step[]) => await writer.carryOut(steps, context)
  const patchStatus = async (status: object) => { await writer.patchStatus(child('DittoServer', 'demo'), status, context) }
  return { carryOut, patchStatus, sent, written, close: () => { closed = true } }
}

const reply = { ...config, metadata: { ...config.metadata, resourceVersion: '9' } }
const refusal = (status: number, reason = '') => new ApiError(status, { message: `refused with ${status}`, reason })

t.test('each step sends its request, and the written version is recorded', async t => {
  const { carryOut, sent, written } = writerWith(reply)
  const results = await carryOut(create, apply, patch, remove)
  t.match(results, [{ outcome: 'done', object: reply }, { outcome: 'done' }, { outcome: 'done' }, { outcome: 'done', object: undefined }])
  t.match(sent, [
    { method: 'POST', path: '/api/v1/namespaces/files/configmaps', query: { fieldManager: 'dittofs-operator' } },
    { method: 'PATCH', path: '/api/v1/namespaces/files/configmaps/demo-config', query: { force: true }, body: { metadata: { uid: 'u' } } },
    { method: 'PATCH', contentType: 'application/merge-patch+json' },
    { method: 'DELETE', body: { preconditions: { uid: 'u' }, propagationPolicy: 'Background' } },
  ])
  t.match(written, ['files/demo ConfigMap 9', 'files/demo ConfigMap 9', 'files/demo PersistentVolumeClaim 9', 'files/demo Service 9'])
})

t.test('the first failure stops the steps', async t => {
  const { carryOut, sent } = writerWith(refusal(500))
  t.match(await carryOut(create, apply), [{ outcome: 'failed', error: { status: 500 } }])
  t.equal(sent.length, 1)
})

t.test('an object with that name exists', async t => {
  const exists = await writerWith(refusal(409, 'AlreadyExists'), reply).carryOut(create, apply)
  t.strictSame(exists.map(({ outcome }) => outcome), ['exists'], 'and nothing is done after that')
  t.match(await writerWith(refusal(409, 'Conflict')).carryOut(create), [{ outcome: 'failed' }], 'any other conflict is a failure')
  t.match(await writerWith(refusal(409, 'AlreadyExists')).carryOut(apply), [{ outcome: 'failed' }])
})

t.test('the patch of a claim may be refused, and the next steps continue', async t => {
  for (const status of [403, 404, 422]) {
    t.match(await writerWith(refusal(status), reply).carryOut(patch, apply), [{ outcome: 'refused', message: `refused with ${status}` }, { outcome: 'done' }])
  }
  t.match(await writerWith(refusal(500)).carryOut(patch, apply), [{ outcome: 'failed' }])
  t.match(await writerWith(refusal(422)).carryOut({ ...patch, mayBeRefused: undefined } as unknown as Step), [{ outcome: 'failed' }])
})

t.test('an object that does not exist counts as deleted', async t => {
  t.match(await writerWith(refusal(404)).carryOut(remove), [{ outcome: 'done', object: undefined }])
  t.match(await writerWith(refusal(409)).carryOut(remove), [{ outcome: 'failed' }], 'it may still be there')
  t.match(await writerWith(refusal(403)).carryOut(remove), [{ outcome: 'failed' }])
  for (const status of [{ kind: 'Status', status: 'Success', metadata: {} }, { kind: 'Status', status: 'Success' }]) {
    const { carryOut, written } = writerWith(status)
    t.match(await carryOut(remove), [{ outcome: 'done' }])
    t.strictSame(written, [], 'a Status has no version')
  }
})

t.test('a deletion names the uid of the object, and its version if the step has one', async t => {
  const preconditions = async (step: Step) => {
    const { carryOut, sent } = writerWith({ kind: 'Status', status: 'Success' })
    await carryOut(step)
    return (sent[0]?.body as { preconditions?: unknown }).preconditions
  }
  t.strictSame(await preconditions(remove), { uid: 'u' })
  t.strictSame(await preconditions({ ...remove, resourceVersion: '7' } as Step), { uid: 'u', resourceVersion: '7' })
})

t.test('the fence is called for each request', async t => {
  const { carryOut, sent, close } = writerWith(reply)
  await carryOut(create)
  close()
  t.match(await carryOut(apply, patch), [{ outcome: 'failed', error: { message: 'not leading' } }])
  t.equal(sent.length, 1)
})

t.test('fields of our create become fields of our apply first', async t => {
  const entry = { manager: 'dittofs-operator', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: { 'f:data': {} } }
  const found = (metadata: object): KubernetesObject => ({ ...config, metadata: { ...config.metadata, uid: 'u', resourceVersion: '5', managedFields: [entry], ...metadata } })
  const { carryOut, sent } = writerWith(found({}), { ...reply, metadata: { ...reply.metadata, resourceVersion: '6' } }, reply)
  await carryOut({ ...apply, absorb: ['dittofs-operator'] })
  t.match(sent, [
    { method: 'GET', retry: true, signal: AbortSignal },
    { method: 'PATCH', body: { metadata: { uid: 'u', resourceVersion: '5', managedFields: [{ operation: 'Apply', fieldsV1: entry.fieldsV1 }] } } },
    { method: 'PATCH', query: { force: true } },
  ])
  t.notOk((sent[2]?.body as KubernetesObject).metadata.resourceVersion)

  const conditional = writerWith(found({}), { ...reply, metadata: { ...reply.metadata, resourceVersion: '6' } }, reply)
  await conditional.carryOut({ ...apply, absorb: ['dittofs-operator'], resourceVersion: '5' })
  t.match(conditional.sent[2]?.body, { metadata: { resourceVersion: '6' } }, 'what was conditional stays so')

  const replaced = writerWith(found({ uid: 'another' }), reply)
  await replaced.carryOut({ ...apply, absorb: ['dittofs-operator'] })
  t.strictSame(replaced.sent.map(({ method }) => method), ['GET', 'PATCH'], 'another object of that name is not touched by it')

  for (const resourceVersion of [undefined, '5']) {
    const gone = writerWith(refusal(404), refusal(409))
    const step: Step = { ...apply, absorb: ['dittofs-operator'], ...(resourceVersion === undefined ? {} : { resourceVersion }) }
    t.match(await gone.carryOut(step), [{ outcome: 'failed', error: { status: 409 } }])
    t.match(gone.sent[1]?.body, { metadata: { uid: 'u', resourceVersion } }, 'and it is not recreated')
  }
})

t.test('a status is written only to the observed version', async t => {
  const { sent, patchStatus, close } = writerWith(reply)
  await patchStatus({ phase: 'Running' })
  t.match(sent, [{
    method: 'PATCH',
    path: '/apis/dittofs.dittofs.com/v1alpha1/namespaces/files/dittoservers/demo/status',
    contentType: 'application/merge-patch+json',
    body: { metadata: { uid: 'DittoServer-demo', resourceVersion: '3' }, status: { phase: 'Running' } },
  }])
  close()
  await t.rejects(patchStatus({}), { message: 'not leading' })
})

t.test('a rehearsal changes nothing, and an existing name is not a refusal', async t => {
  const rehearse: Step = { do: 'rehearse', kind: 'ConfigMap', name: 'demo-config', object: config }
  const { carryOut, sent, written, close } = writerWith(reply)
  t.match(await carryOut(rehearse), [{ outcome: 'done', object: undefined }])
  t.match(sent, [{ method: 'POST', path: '/api/v1/namespaces/files/configmaps', query: { dryRun: 'All', fieldManager: 'dittofs-operator' } }])
  t.strictSame(written, [])
  close()
  t.match(await carryOut(rehearse), [{ outcome: 'failed' }])
  t.match(await writerWith(refusal(409, 'AlreadyExists')).carryOut(rehearse), [{ outcome: 'done' }])
  t.match(await writerWith(refusal(409, 'Conflict')).carryOut(rehearse), [{ outcome: 'failed' }])
  t.match(await writerWith(refusal(422)).carryOut(rehearse, create), [{ outcome: 'failed' }])
})
