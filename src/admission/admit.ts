import type { Cluster } from '../cluster/cluster.ts'
import { group, kind } from '../dittoserver/api.ts'
import { quote } from '../rules/finding.ts'
import { judge, prepare, type Verdict } from '../rules/judge.ts'
import type { Policy } from '../rules/policy.ts'
import { gather } from './gather.ts'
import { mutate } from './mutate.ts'
import { allowedWith, patched, refusedWith, respond } from './respond.ts'
import type { AdmissionRequest, AdmissionResponse } from './review.ts'

export interface Admission {
  readonly response: AdmissionResponse
  /** What the rules said, for logs and metrics. Absent where nothing was judged. */
  readonly verdict?: Verdict
}

/**
 * A request that is not ours to judge. A kind that a wrong webhook configuration sends here is let through with a warning:
 * to refuse it would stop whatever else runs in the cluster. DELETE is never blocked.
 */
function passThrough (request: AdmissionRequest): AdmissionResponse | undefined {
  if (request.kind.group !== group || request.kind.kind !== kind) {
    const found = quote(`${request.kind.kind}.${request.kind.group}`)
    return allowedWith(request, `not checked: ${found} is no ${kind}; correct the rules of the webhook configuration of dittofs-operator`)
  }
  if (request.operation !== 'CREATE' && request.operation !== 'UPDATE') return allowedWith(request)
  if (request.object === null) return refusedWith(request, 400, 'BadRequest', `the request has no object to ${request.operation.toLowerCase()}`)
  if (request.operation === 'UPDATE' && request.oldObject === null) return refusedWith(request, 400, 'BadRequest', 'the request has no oldObject')
  return undefined
}

export function admitMutation (request: AdmissionRequest): Admission {
  return { response: passThrough(request) ?? patched(request, mutate(request.object)) }
}

/** Never rejects for what a user sent; a rejection is a fault of ours. `budget`: milliseconds for lookups in all. */
export async function admitValidation (request: AdmissionRequest, cluster: Cluster, policy: Policy, budget: number): Promise<Admission> {
  const passed = passThrough(request)
  if (passed) return { response: passed }
  const { operation, object, oldObject, dryRun, namespace } = request
  const prepared = prepare({ operation: operation === 'UPDATE' ? 'UPDATE' : 'CREATE', object, oldObject, dryRun }, policy)
  const verdict = judge(prepared, await gather(prepared.needs, cluster, namespace, budget))
  return { response: respond(request, verdict), verdict }
}
