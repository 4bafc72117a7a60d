import t from 'tap'
import { ObjectStore } from '../../src/cluster/object-store.ts'

/** A complete list, as it is taken in. */
function take (store: ObjectStore<string>, versions: Record<string, string>): void {
  for (const [key, resourceVersion] of Object.entries(versions)) store.set(key, { resourceVersion, object: `${key}@${resourceVersion}` })
  store.retain(new Set(Object.keys(versions)))
}

function store () {
  const errors: unknown[] = []
  const seen: string[] = []
  const store = new ObjectStore<string>(error => { errors.push(error) })
  store.onChange(({ type, key, object }) => { seen.push(`${type} ${key} ${object}`) })
  return { store, errors, seen, told: () => seen.splice(0).sort() }
}

await t.test('a complete list reports new, changed and deleted objects, and no others', async t => {
  const { store: objects, told } = store()
  take(objects, { a: '1', b: '1', c: '1' })
  t.strictSame(told(), ['added a a@1', 'added b b@1', 'added c c@1'])
  take(objects, { a: '1', b: '2', d: '1' })
  t.strictSame(told(), ['added d d@1', 'deleted c c@1', 'modified b b@2'])
  t.strictSame(objects.values().sort(), ['a@1', 'b@2', 'd@1'])
})

await t.test('an object without a version always counts as changed', async t => {
  const { store: objects, told } = store()
  objects.set('a', { resourceVersion: undefined, object: 'A' })
  objects.set('a', { resourceVersion: undefined, object: 'A' })
  t.strictSame(told(), ['added a A', 'modified a A'])
})

await t.test('the state is updated before the handlers are called', async t => {
  const objects = new ObjectStore<string>(error => { throw error })
  const sizes: number[] = []
  objects.onChange(() => { sizes.push(objects.size) })
  take(objects, { a: '1', b: '1' })
  objects.delete('a')
  objects.delete('a')
  t.strictSame(sizes, [1, 2, 1])
})

await t.test('a late handler receives the existing objects; a removed handler receives nothing', async t => {
  const { store: objects } = store()
  objects.set('a', { resourceVersion: '1', object: 'A' })
  const late: string[] = []
  const off = objects.onChange(({ type, key }) => { late.push(`${type} ${key}`) })
  off()
  objects.delete('a')
  t.strictSame(late, ['added a'])
})

await t.test('an exception in a handler is reported, and the others are still called', async t => {
  const { store: objects, errors, told } = store()
  objects.onChange(() => { throw new Error('boom') })
  objects.onChange(({ type, key, object }) => { if (type === 'modified') throw new Error(`${key} ${object}`) })
  objects.set('a', { resourceVersion: '1', object: 'A' })
  objects.set('a', { resourceVersion: '2', object: 'B' })
  t.strictSame(told(), ['added a A', 'modified a B'])
  t.equal(errors.length, 3)
})
