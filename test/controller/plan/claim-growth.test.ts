import t from 'tap'
import { growthOf } from '../../../src/controller/plan/claim-growth.ts'
import type { Claim } from '../../../src/render/claim.ts'

const claim = (status: Claim['status'], storage = '10Gi'): Claim =>
  ({ metadata: { name: 'cache-demo-0' }, spec: { resources: { requests: { storage } } }, status: { capacity: { storage: '5Gi' }, ...status } })
const condition = (type: string, message = '', status = 'True') => ({ conditions: [{ type, status, message }] })

t.test('a claim with the requested size, a larger one, or not bound', async t => {
  t.equal(growthOf(undefined), undefined)
  t.equal(growthOf(claim({ capacity: { storage: '10Gi' } })), undefined)
  t.equal(growthOf(claim({ capacity: { storage: '10240Mi' } })), undefined)
  t.equal(growthOf(claim({ capacity: { storage: '50Gi' } })), undefined)
  t.equal(growthOf({ metadata: { name: 'cache-demo-0' }, status: { phase: 'Pending' } }), undefined)
  t.equal(growthOf(claim({ capacity: { storage: '10Gi' }, ...condition('ControllerResizeError', 'old') })), undefined)
})

t.test('each stage', async t => {
  t.strictSame(growthOf(claim({})), { claim: 'cache-demo-0', failed: false, message: 'claim cache-demo-0 grows from 5Gi to 10Gi; its driver has not started.' })
  t.match(growthOf(claim(condition('Resizing'))), { failed: false, message: /its driver is resizing the volume/ })
  t.match(growthOf(claim({ allocatedResourceStatuses: { storage: 'NodeResizeInProgress' } })), { failed: false, message: /its driver is resizing the volume/ })
  t.match(growthOf(claim(condition('Resizing', '', 'False'))), { message: /has not started/ })
  const pending = condition('FileSystemResizePending', 'Waiting for user to (re-)start a pod')
  for (const status of [pending, { allocatedResourceStatuses: { storage: 'NodeResizePending' } }]) {
    t.match(growthOf(claim(status)), { failed: false, message: /the volume has grown to 10Gi, but the node has not resized/ })
  }
})

t.test('failures', async t => {
  t.strictSame(growthOf(claim({ ...condition('ControllerResizeError', 'rpc error: code = OutOfRange desc = at most 8Gi'), allocatedResourceStatuses: { storage: 'ControllerResizeInfeasible' } })), {
    claim: 'cache-demo-0', failed: true, message: 'claim cache-demo-0 cannot grow from 5Gi to 10Gi: at most 8Gi. Ask the storage administrator whether the volume can be that large.',
  })
  t.match(growthOf(claim({ allocatedResourceStatuses: { storage: 'NodeResizeInfeasible' } })), { failed: true, message: /to 10Gi\. Ask/ })
  t.match(growthOf(claim(condition('NodeResizeError', 'resize2fs failed'))), { failed: true, message: /to 10Gi: resize2fs failed\. The driver will retry/ })
})
