import type { Status, StatusDetails } from '../../../src/cluster/api-error.ts'

type Cause = NonNullable<StatusDetails['causes']>[number]

/** A refusal of the API server, as the Status that it sends. */
export class Refused extends Error {
  readonly status: number
  readonly body: Status

  constructor (status: number, reason: string, message: string, details: StatusDetails = {}) {
    super(message)
    this.status = status
    this.body = { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: status, reason, message, details } as Status
  }
}

export const notFound = (resource: string, name: string) => new Refused(404, 'NotFound', `${resource} "${name}" not found`, { name, kind: resource })
export const alreadyExists = (resource: string, name: string) => new Refused(409, 'AlreadyExists', `${resource} "${name}" already exists`, { name, kind: resource })
export const conflict = (resource: string, name: string, why: string) =>
  new Refused(409, 'Conflict', `Operation cannot be fulfilled on ${resource} "${name}": ${why}`, { name, kind: resource })
export const modified = (resource: string, name: string) =>
  conflict(resource, name, 'the object has been modified; please apply your changes to the latest version and try again')
export const invalid = (kind: string, name: string, causes: readonly Cause[]) =>
  new Refused(422, 'Invalid', `${kind} "${name}" is invalid: ${causes.map(({ field, message }) => `${field ?? ''}: ${message ?? ''}`).join(', ')}`, { name, kind, causes })
export const forbidden = (resource: string, name: string, why: string) =>
  new Refused(403, 'Forbidden', `${resource} "${name}" is forbidden: ${why}`, { name, kind: resource })

/** One field that is wrong. https://pkg.go.dev/k8s.io/apimachinery/pkg/apis/meta/v1#CauseType */
export const wrong = (reason: 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired' | 'FieldValueDuplicate' | 'FieldValueNotFound', field: string, message = ''): Cause =>
  ({ reason, field, message })
