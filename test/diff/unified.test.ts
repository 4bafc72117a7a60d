import { applyPatch } from 'diff'
import t from 'tap'
import type { KubernetesObject } from '../../src/cluster/kubernetes-object.ts'
import { nameOf, unifiedDiff } from '../../src/diff/unified.ts'

const object = (kind: string, rest: object = {}, metadata: object = {}) =>
  ({ apiVersion: 'v1', kind, metadata: { name: 'demo', namespace: 'files', ...metadata }, ...rest }) as KubernetesObject

t.test('a unified diff', async t => {
  const [before, after] = [object('ConfigMap', { data: { a: '1', b: '2' } }), object('ConfigMap', { data: { a: '1', b: '3' } })]
  const diff = unifiedDiff({ before, after })
  t.equal(diff, `--- before/ConfigMap/files/demo
+++ after/ConfigMap/files/demo
@@ -1,7 +1,7 @@
 apiVersion: v1
 data:
   a: "1"
-  b: "2"
+  b: "3"
 kind: ConfigMap
 metadata:
   name: demo
`)
  const text = 'apiVersion: v1\ndata:\n  a: "1"\n  b: "2"\nkind: ConfigMap\nmetadata:\n  name: demo\n  namespace: files\n'
  t.match(applyPatch(text, diff), 'b: "3"', 'programs can apply it')
  t.equal(unifiedDiff({ before, after: before }), '')
  t.equal(unifiedDiff({ before: object('X', { a: 1, b: 2 }), after: object('X', { b: 2, a: 1 }) }), '', 'order is no difference')
})

t.test('an object that appears or disappears', async t => {
  const one = object('Service')
  const added = unifiedDiff({ before: undefined, after: one })
  t.match(added, /^--- before\/Service\/files\/demo\n\+\+\+ after.*\n@@ -0,0 \+1,5 @@\n\+apiVersion: v1\n/)
  t.match(unifiedDiff({ before: one, after: undefined }), /\n@@ -1,5 \+0,0 @@\n-apiVersion: v1\n/)
  t.equal(nameOf({ before: undefined, after: object('Node', {}, { namespace: undefined }) }), 'Node/demo')
})

t.test('what only the API server sets is no difference', async t => {
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{}' }
  const fromServer = { uid: 'u', resourceVersion: '1', generation: 2, creationTimestamp: 'now', managedFields: [], annotations }
  const stored = object('X', { status: { a: 1 } }, fromServer)
  t.equal(unifiedDiff({ before: stored, after: object('X') }), '')
  t.match(unifiedDiff({ before: stored, after: object('X', {}, { annotations: { mine: 'x' } }) }), /^\+ {4}mine: x$/m)
})

t.test('no value of a Secret is shown', async t => {
  const secret = (data: object) => object('Secret', { data })
  const diff = unifiedDiff({ before: secret({ a: 'c2FtZQ==', b: 'b2xk' }), after: secret({ a: 'c2FtZQ==', b: 'bmV3', c: 'bW9yZQ==' }) })
  for (const value of ['c2FtZQ==', 'b2xk', 'bmV3', 'bW9yZQ==']) t.notOk(diff.includes(value))
  t.match(diff, / {3}a: "\*\*\*"\n- {2}b: "\*\*\* \(before\)"\n\+ {2}b: "\*\*\* \(after\)"\n\+ {2}c: "\*\*\*"\n/)
  t.notMatch(unifiedDiff({ before: undefined, after: object('Secret', { stringData: { key: 'hush' } }) }), 'hush')
})
