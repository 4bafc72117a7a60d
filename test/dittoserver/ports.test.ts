import t from 'tap'
import { effectivePorts, portConflicts } from '../../src/dittoserver/ports.ts'
import { readDittoServer } from '../../src/dittoserver/dittoserver.ts'

const specOf = (ports: { nfs?: number, api?: number, smb?: number, metrics?: number }) => readDittoServer({
  spec: {
    storage: { metadataSize: '1Gi', cacheSize: '1Gi' },
    ...(ports.nfs ? { nfsPort: ports.nfs } : {}),
    ...(ports.api ? { controlPlane: { port: ports.api } } : {}),
    ...(ports.smb ? { smb: { enabled: true, port: ports.smb } } : { smb: { enabled: false } }),
    ...(ports.metrics ? { metrics: { enabled: true, port: ports.metrics } } : {}),
  },
}).server.spec

const conflicts = (ports: Parameters<typeof specOf>[0]) =>
  portConflicts(specOf(ports)).map(({ field, port, real }) => `${field}=${port} ${real ? 'real' : 'harmless'}`)

t.test('the defaults have no conflicts', async t => {
  t.strictSame(conflicts({}), [])
  t.strictSame(effectivePorts(specOf({})).map(({ role, port }) => [role, port]), [['nfs', 12049], ['api', 8080]])
})

t.test('all pairs of roles', async t => {
  t.strictSame(conflicts({ nfs: 8000, api: 8000 }), ['spec.controlPlane.port=8000 harmless'], 'two Services')
  t.strictSame(conflicts({ nfs: 8000, smb: 8000 }), ['spec.smb.port=8000 real'], 'one Service')
  t.strictSame(conflicts({ nfs: 8000, metrics: 8000 }), ['spec.metrics.port=8000 harmless'])
  t.strictSame(conflicts({ api: 8000, smb: 8000 }), ['spec.smb.port=8000 harmless'])
  t.strictSame(conflicts({ api: 8000, metrics: 8000 }), ['spec.metrics.port=8000 real'], 'one container')
  t.strictSame(conflicts({ smb: 8000, metrics: 8000 }), ['spec.metrics.port=8000 harmless'])
})

t.test('the ports on which the server listens, whatever the spec says', async t => {
  t.strictSame(conflicts({ nfs: 2049, api: 12049 }), ['spec.controlPlane.port=12049 real'])
  t.strictSame(conflicts({ metrics: 1445 }), ['spec.metrics.port=1445 real'], 'even with SMB off')
  t.strictSame(conflicts({ api: 12049 }), ['spec.controlPlane.port=12049 real'], 'said once, though nfsPort is the same')
  t.strictSame(conflicts({ nfs: 1445 }), [], 'a Service may carry any number')
})

t.test('a conflict depends on both ports, and on their switches', async t => {
  const restsOn = (ports: Parameters<typeof specOf>[0]) => portConflicts(specOf(ports)).map(found => found.restsOn)
  t.strictSame(restsOn({ nfs: 8000, api: 8000 }), [['spec.nfsPort', 'spec.controlPlane.port']])
  t.strictSame(restsOn({ smb: 8000, metrics: 8000 }), [['spec.smb.port', 'spec.smb.enabled', 'spec.metrics.port', 'spec.metrics.enabled']])
  t.strictSame(restsOn({ metrics: 1445 }), [['spec.metrics.port', 'spec.metrics.enabled']])
})

t.test('a disabled service has no port', async t => {
  const off = readDittoServer({
    spec: { storage: { metadataSize: '1Gi', cacheSize: '1Gi' }, smb: { enabled: false, port: 8080 }, metrics: { enabled: false, port: 8080 } },
  }).server.spec
  t.strictSame(portConflicts(off), [])
})
