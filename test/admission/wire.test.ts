import t from 'tap'
import { review, server, startWebhook } from './webhook.ts'

// Requests at the edge of what the API server sends.

const webhook = await startWebhook(t)
const wrong = server({ nfsPort: 0 })

t.test('a subresource is not judged', async t => {
  const { body } = await webhook.review('/validate', { operation: 'UPDATE', subResource: 'status', object: wrong, oldObject: server() })
  t.equal(body.response?.allowed, true)
})

t.test('an object that is being deleted is not patched', async t => {
  const object = { ...server({ storage: { metadataSize: '1Gi' } }, { deletionTimestamp: '2026-01-01T00:00:00Z' }) }
  const { body } = await webhook.review('/mutate', { operation: 'UPDATE', object, oldObject: object })
  t.equal(body.response?.patch, undefined)
})

t.test('an emptied size stays what the volume has', async t => {
  const spec = (cacheSize: string) => server({ storage: { metadataSize: '1Gi', cacheSize } })
  const { body } = await webhook.review('/mutate', { operation: 'UPDATE', object: spec(''), oldObject: spec('10Gi') })
  t.match(Buffer.from(body.response?.patch ?? '', 'base64').toString(), '"10Gi"')
})

t.test('a mutation has its audit annotation', async t => {
  const { body } = await webhook.review('/mutate', { object: server({ storage: { metadataSize: '1Gi' } }) })
  t.ok(body.response?.auditAnnotations)
})

for (const [method, path, code] of [['POST', '/%zz', 400], ['OPTIONS', '/validate', 405], ['PUT', '/mutate', 405]] as const) {
  t.test(`${method} ${path}`, async t => {
    const { status, body } = await webhook.send(path, JSON.stringify(review()), { method })
    t.equal(status, code)
    t.match(body, { kind: 'Status', code })
  })
}

t.test('thousands of errors', async t => {
  const add = Array.from({ length: 60 }, (_, index) => `NO_SUCH_${index}`)
  const object = server({ securityContext: { capabilities: { add, drop: add } }, service: { annotations: Object.fromEntries(add.map(name => [`${name}/a/b`, ''])) } })
  const { body } = await webhook.review('/validate', { object })
  const { message = '', details } = body.response?.status ?? { message: '' }
  t.match(message, /and \d+ more errors$/)
  t.ok((details?.causes.length ?? 0) < 50)
})

t.test('values that no schema has', async t => {
  const deep = `{"limits":${'{"a":'.repeat(5_000)}0${'}'.repeat(5_000)}}`
  for (const spec of [{ resources: { claims: [{ name: { toString: 1 } }] } }, { resources: '@deep' }, { image: 'x'.repeat(3_000_000) }]) {
    const { status, body } = await webhook.send('/validate', JSON.stringify(review({ object: server(spec) })).replace('"@deep"', deep))
    t.equal(status < 500 && (body.response?.status?.code ?? 422), status === 200 ? 422 : status)
  }
})
