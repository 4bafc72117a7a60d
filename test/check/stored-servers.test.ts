import t from 'tap'
import { storedServers } from '../../src/check/stored-servers.ts'
import { parseManifests } from '../../src/embedded/manifests.ts'

const manifest = (name: string, rest = '', file = 'a.yaml') => {
  const [found] = parseManifests(`{apiVersion: dittofs.dittofs.com/v1alpha1, kind: DittoServer, metadata: {name: ${name}}, spec: {a: 1}${rest}}`, file)
  if (!found) throw new Error('no manifest')
  return found
}
const stored = (name: string, spec = '{a: 1}', file = 'a.yaml') => manifest(`${name}, uid: u`, `, spec: ${spec}`, file)

t.test('the stored object that a manifest updates', t => {
  const find = storedServers([stored('a'), manifest('b'), stored('c, namespace: files')], [manifest('d'), manifest('a', ', spec: {previous: 1}')])
  t.match(find(manifest('a')), { object: { spec: { previous: 1 } }, original: { spec: { previous: 1 } } }, 'what was applied before wins')
  t.equal(find(manifest('b')), undefined, 'a manifest of the state was never stored')
  t.equal(find(manifest('c')), undefined, 'another namespace')
  t.match(find(manifest('c, namespace: files')), { object: { metadata: { uid: 'u' } }, original: { spec: { a: 1 } } })
  t.match(find(manifest('d')), { original: { spec: { a: 1 } } })
  t.equal(find(manifest('e')), undefined)
  t.equal(storedServers([manifest('a, uid: ""'), manifest('a, uid: 7')], [])(manifest('a')), undefined, 'no uid')
  t.end()
})

t.test('two stored objects that differ', t => {
  const find = storedServers([stored('a'), stored('a', '{a: 1}', 'b.yaml'), stored('b'), stored('b', '{a: 2}', 'b.yaml')], [])
  t.match(find(manifest('a')), { original: { spec: { a: 1 } } }, 'the same twice')
  t.throws(() => find(manifest('b')), { message: 'default/b is in a.yaml and, otherwise, in b.yaml; give one of them' })
  t.throws(() => storedServers([], [manifest('a'), manifest('a', ', spec: {}', 'c.yaml')])(manifest('a')), { message: /c\.yaml/ })
  t.end()
})
