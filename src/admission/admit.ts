import type { Cluster } from '../cluster/cluster.ts'
import { group, kind } from '../dittoserver/api.ts'
import { quote } from '../dittoserver/quote.ts'
import type { Facts } from '../rules/facts.ts'
import { judge, prepare, type Verdict } from '../rules/judge.ts'
import type { Policy } from '../rules/policy.ts'
import { gather } from './gather.ts'
import { mutate } from './mutate.ts'
import { allowedWith, patched, refusedWith, respond } from './respond.ts'
import type { AdmissionRequest, AdmissionResponse } from './review.ts'

export interface Admission {
  readonly response: AdmissionResponse
  /** The result of the rules, for logs and metrics. Absent if the request was not judged. */
  readonly verdict?: Verdict
}

/**
 * A request that the webhook does not judge. If a wrong webhook configuration sends another kind, it is allowed with a warning: to deny
 * it would block other programs in the cluster. DELETE is never blocked. An update of a subresource changes nothing else, and only the
 * operator writes `status`.
 */
function passThrough ({ head, object, oldObject }: AdmissionRequest): AdmissionResponse | undefined {
  if (head.kind.group !== group || head.kind.kind !== kind) {
    const found = quote(`${head.kind.kind}.${head.kind.group}`)
    return allowedWith(head, `not checked: ${found} is no ${kind}; correct the rules of the webhook configuration of dittofs-operator`)
  }
  if ((head.operation !== 'CREATE' && head.operation !== 'UPDATE') || head.subResource !== '') return allowedWith(head)
  if (object === null) return refusedWith(head, 400, 'BadRequest', `the request has no object to ${head.operation.toLowerCase()}`)
  if (head.operation === 'UPDATE' && oldObject === null) return refusedWith(head, 400, 'BadRequest', 'the request has no oldObject')
  return undefined
}

export function admitMutation (request: AdmissionRequest): Admission {
  const { head, object, oldObject } = request
  return { response: passThrough(request) ?? patched(head, mutate(object, head.operation === 'UPDATE' ? oldObject : null)) }
}

/**
 * A rejection is a bug in the operator: no input causes one. `budget`: milliseconds for all lookups together. Reads the
 * objects before it returns, and keeps no reference to them while it waits for lookups.
 */
export function admitValidation (
  request: AdmissionRequest, cluster: Cluster, policy: Policy, budget: number,
): Admission | Promise<Admission> {
  const passed = passThrough(request)
  if (passed) return { response: passed }
  const { head, object, oldObject } = request
  const prepared = prepare({ operation: head.operation === 'UPDATE' ? 'UPDATE' : 'CREATE', object, oldObject, dryRun: head.dryRun }, policy)
  const decide = (facts: Facts): Admission => {
    const verdict = judge(prepared, facts)
    return { response: respond(head, verdict), verdict }
  }
  const facts = gather(prepared.needs, cluster, head.namespace, budget)
  return facts instanceof Promise ? facts.then(decide) : decide(facts)
}
