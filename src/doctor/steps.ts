import { failureReason } from '../cluster/failure-reason.ts'
import { apiServer } from './api-server.ts'
import { definition } from './custom-resource-definition.ts'
import { deployment, leader } from './deployment.ts'
import { unclear, type Diagnosis, type Patient, type Step } from './examination.ts'
import { permissions } from './permissions.ts'
import { admission, certificate, configuration, endpoints } from './webhook.ts'

/** What an installation needs, in the order in which one thing rests on the other. */
export const steps: readonly Step[] = [
  apiServer, definition, deployment, permissions, leader, endpoints, configuration, certificate, admission,
]

export interface Examined { readonly title: string, readonly diagnosis: Diagnosis }

/** One after the other, to the end: one thing that is wrong does not hide the next. Never rejects. */
export async function * examine (patient: Patient): AsyncGenerator<Examined> {
  for (const { title, examine: look } of steps) {
    const diagnosis = await look(patient).catch((error: unknown) => unclear(failureReason(error, `examine the ${title.toLowerCase()}`)))
    yield { title, diagnosis }
  }
}
