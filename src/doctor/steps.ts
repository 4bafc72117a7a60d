import { failureReason } from '../cluster/failure-reason.ts'
import { admission } from './admission.ts'
import { apiServer } from './api-server.ts'
import { certificate } from './certificate.ts'
import { definition } from './custom-resource-definition.ts'
import { deployment, leader, versions } from './deployment.ts'
import { unknown, type Diagnosis, type Patient, type Step } from './examination.ts'
import { networkPolicies } from './network-policies.ts'
import { otherOperators } from './other-operators.ts'
import { permissions } from './permissions.ts'
import { perconaOperator } from './percona-operator.ts'
import { pods } from './pods.ts'
import { servers } from './servers.ts'
import { service } from './service.ts'
import { mutating, validating } from './webhook-configurations.ts'

/** The requirements of an installation. A step that others depend on comes before them. */
export const steps: readonly Step[] = [
  apiServer, definition, deployment, versions, pods, permissions, leader, service, networkPolicies, validating, mutating, certificate,
  admission, otherOperators, perconaOperator, servers,
]

export interface Examined { readonly title: string, readonly diagnosis: Diagnosis }

/** Runs all steps in order. A failed step does not stop the following steps. Never rejects. */
export async function * examine (patient: Patient): AsyncGenerator<Examined> {
  for (const { title, examine: look } of steps) {
    const diagnosis = await look(patient).catch((error: unknown) => unknown(failureReason(error, `examine: ${title}`)))
    yield { title, diagnosis }
  }
}
