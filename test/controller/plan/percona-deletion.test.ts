import t from 'tap'
import type { KubernetesObject } from '../../../src/cluster/kubernetes-object.ts'
import { deletedNote, isDeletedWithoutData, withItsData } from '../../../src/controller/plan/percona-deletion.ts'

const cluster = (metadata: object = {}): KubernetesObject =>
  ({ apiVersion: 'pgv2.percona.com/v2', kind: 'PerconaPGCluster', metadata: { name: 'files-postgres', ...metadata } })

t.test('deleted with its data', async t => {
  t.strictSame(withItsData(cluster({ resourceVersion: '7', finalizers: ['a', 'percona.com/delete-pvc'] })), {
    metadata: { resourceVersion: '7', finalizers: ['a', 'percona.com/delete-pvc', 'percona.com/delete-ssl'] },
  })
  const going = { deletionTimestamp: '2026-01-01T00:00:00Z' }
  t.equal(withItsData(cluster(going)), undefined, 'no finalizer can be added any more')
  t.equal(isDeletedWithoutData(cluster()), false)
  t.equal(isDeletedWithoutData(cluster({ ...going, finalizers: ['percona.com/delete-ssl', 'percona.com/delete-pvc'] })), false, 'by us')
  t.equal(isDeletedWithoutData(cluster(going)), true, 'by someone else')
  t.equal(isDeletedWithoutData(cluster({ ...going, finalizers: ['percona.com/delete-ssl'] })), true, 'without its volumes')
  t.equal(deletedNote('x'), 'PostgreSQL cluster x is deleted with its data: percona.deleteWithServer is true')
})
