import t from 'tap'
import { ObjectStore } from '../../src/cluster/object-store.ts'

const entries = (versions: Record<string, string>) =>
  new Map(Object.entries(versions).map(([key, resourceVersion]) => [key, { resourceVersion, object: `${key}@${resourceVersion}` }]))

function store () {
  const errors: unknown[] = []
  const seen: string[] = []
  const store = new ObjectStore<string>(error => { errors.push(error) })
  store.onChange(({ type, key, object }) => { seen.push(`${type} ${key} ${object}`) })
  return { store, errors, seen, take: () => seen.splice(0).sort() }
}

await t.test('a complete list tells what is new, different or gone, and nothing of the rest', async t => {
  const { store: objects, take } = store()
  objects.replace(entries({ a: '1', b: '1', c: '1' }))
  t.strictSame(take(), ['added a a@1', 'added b b@1', 'added c c@1'])
  objects.replace(entries({ a: '1', b: '2', d: '1' }))
  t.strictSame(take(), ['added d d@1', 'deleted c c@1', 'modified b b@2'])
  t.strictSame(objects.values().sort(), ['a@1', 'b@2', 'd@1'])
})

await t.test('the state is changed before the handlers hear of it', async t => {
  const objects = new ObjectStore<string>(error => { throw error })
  const sizes: number[] = []
  objects.onChange(() => { sizes.push(objects.size) })
  objects.replace(entries({ a: '1', b: '1' }))
  objects.delete('a')
  objects.delete('a')
  t.strictSame(sizes, [2, 2, 1])
})

await t.test('a late handler is told of what is there; one that was taken off hears no more', async t => {
  const { store: objects } = store()
  objects.set('a', { resourceVersion: '1', object: 'A' })
  const late: string[] = []
  const off = objects.onChange(({ type, key }) => { late.push(`${type} ${key}`) })
  off()
  objects.delete('a')
  t.strictSame(late, ['added a'])
})

await t.test('a handler that throws is reported, and the others are still called', async t => {
  const { store: objects, errors, take } = store()
  objects.onChange(() => { throw new Error('boom') })
  objects.onChange(({ type, key, object }) => { if (type === 'modified') throw new Error(`${key} ${object}`) })
  objects.set('a', { resourceVersion: '1', object: 'A' })
  objects.set('a', { resourceVersion: '2', object: 'B' })
  t.strictSame(take(), ['added a A', 'modified a B'])
  t.equal(errors.length, 3)
})
