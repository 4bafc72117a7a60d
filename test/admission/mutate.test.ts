import t from 'tap'
import { mutate } from '../../src/admission/mutate.ts'

const server = (storage: unknown) => ({ spec: { storage } })

t.test('fills what is absent, null or empty', async t => {
  t.strictSame(mutate(server({})), [{ op: 'add', path: '/spec/storage/cacheSize', value: '5Gi' }])
  t.strictSame(mutate(server({ cacheSize: null })), [{ op: 'replace', path: '/spec/storage/cacheSize', value: '5Gi' }])
  t.strictSame(mutate(server({ cacheSize: '' })), [{ op: 'replace', path: '/spec/storage/cacheSize', value: '5Gi' }])
})

t.test('keeps the size that the volume has, where that is one', async t => {
  const kept = (before: unknown) => mutate(server({}), server({ cacheSize: before }))[0]?.value
  t.equal(kept('7Gi'), '7Gi')
  t.equal(kept('000000000000000007Gi'), '000000000000000007Gi', 'as long as a size may be')
  for (const none of ['0000000000000000007Gi', '7GB', '', 7, null, undefined, ['7Gi'], {}]) t.equal(kept(none), '5Gi', JSON.stringify(none))
  t.equal(mutate(server({}), { spec: 'x' })[0]?.value, '5Gi')
})

t.test('rewrites nothing that was given, not even nonsense', async t => {
  for (const cacheSize of ['1024Mi', '5Gi', 'nonsense', 0, false, [], {}]) t.strictSame(mutate(server({ cacheSize })), [])
})

t.test('leaves what is no storage alone', async t => {
  for (const object of [null, undefined, 7, 'x', [], {}, { spec: null }, { spec: [] }, { spec: {} }, server(null), server('x'), server([{}])]) {
    t.strictSame(mutate(object), [])
  }
})
