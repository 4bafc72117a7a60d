import t from 'tap'
import { contains, overgrown } from '../../../src/controller/plan/contains.ts'

t.test('an applied object is found in the stored object of the API server', async t => {
  t.ok(contains({ a: [{ b: 1 }] }, { a: [{ b: 1, c: 2 }], d: 3 }))
  t.notOk(contains({ a: [1] }, { a: [1, 2] }), 'an additional entry')
  t.notOk(contains({ a: [1, 2] }, { a: [1, 3] }), 'a different entry')
  t.notOk(contains({ a: { b: 1 } }, { a: [] }))
  t.ok(contains({ selector: null }, { selector: null }))
  t.notOk(contains({ a: '1024Mi' }, { a: '1Gi' }), 'only canonical values are rendered')
  t.notOk(contains({ a: false }, {}))
  t.notOk(contains({ a: '1' }, { a: 1 }))
  t.notOk(contains({ a: {} }, { a: 1 }))
  t.notOk(contains([], {}))
  t.ok(contains({ labels: { a: 'x' } }, { labels: { a: 'x', b: 'y' } }))
  t.notOk(contains({ selector: { a: 'x' } }, { selector: { a: 'x', b: 'y' } }), 'an additional entry changes the meaning of a selector')
  t.notOk(contains({ sleep: { seconds: 5 } }, { sleep: { seconds: 5 }, exec: { command: [] } }), 'only one of the alternatives may be set')
  t.notOk(contains({ name: 'A', value: 'x' }, { name: 'A', value: 'x', valueFrom: {} }))
})

t.test('lists with entries of other clients', async t => {
  const container = (rest: object) => ({ containers: [{ name: 'dittofs', ...rest }] })
  t.equal(overgrown({ ports: [{ port: 1 }] }, { ports: [{ port: 1, nodePort: 3 }] }), undefined)
  t.equal(overgrown({ ports: [{ port: 1 }, { port: 2 }] }, { ports: [{ port: 1 }] }), undefined, 'a missing entry is added by the apply, without a patch')
  t.strictSame(overgrown({ a: 1, ports: [{ port: 1 }] }, { ports: [{ port: 2 }] }), { ports: [{ port: 1 }] })
  t.strictSame(overgrown({ spec: container({ env: [{ name: 'A' }] }) }, { spec: container({ env: [{ name: 'A' }, { name: 'B' }] }) }),
    { spec: container({ env: [{ name: 'A' }] }) }, 'the outermost list as a whole')
  t.ok(overgrown(container({ lifecycle: { preStop: { sleep: {} } } }), container({ lifecycle: { preStop: { exec: {} } } })))
  t.equal(overgrown(container({ image: 'a' }), container({ image: 'b' })), undefined)
  t.ok(overgrown(container({ volumeMounts: [{ name: 'a', mountPath: '/a' }] }), container({ volumeMounts: [{ name: 'a', mountPath: '/b' }] })))
  t.equal(overgrown({ ports: [1] }, {}), undefined)
  t.ok(overgrown({ drop: ['ALL'] }, { drop: ['KILL'] }))
  t.ok(overgrown({ args: [{ a: 1 }] }, { args: ['x'] }), 'an entry of another type')
})
