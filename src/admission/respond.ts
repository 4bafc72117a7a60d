import { group, kind } from '../dittoserver/api.ts'
import { fieldOf, sentence, type Finding } from '../rules/finding.ts'
import type { Verdict } from '../rules/judge.ts'
import type { PatchOperation } from './mutate.ts'
import type { AdmissionResponse, RequestHead, Status } from './review.ts'
import { fitWarnings } from './warnings.ts'

type Head = Pick<RequestHead, 'uid' | 'name'>

/** Maximum number of errors in one reply. Keeps replies below 256 kB. */
export const mostErrors = 40

/** The answer to a judged request: all errors and all warnings. */
export function respond ({ uid, name }: Head, { allowed, errors, warnings, exempt }: Verdict): AdmissionResponse {
  const decision = exempt ? `allow-${exempt}` : allowed ? 'allow' : 'deny'
  if (errors.length === 0 && warnings.length === 0) return { uid, allowed, auditAnnotations: { decision } }
  const fitted = fitWarnings(warnings.map(sentence))
  return {
    uid,
    allowed,
    ...(allowed ? {} : { status: refusal(name, errors) }),
    ...(fitted.length > 0 ? { warnings: fitted } : {}),
    auditAnnotations: { decision, rules: rulesOf(errors, warnings) },
  }
}

const rulesOf = (...findings: readonly (readonly Finding[])[]): string => [...new Set(findings.flat().map(({ rule }) => rule))].join(',')

/** Causes, like those of the API server for an invalid object. kubectl prints one line for each cause instead of the message. */
function refusal (name: string, errors: readonly Finding[]): Status {
  const shown = errors.slice(0, mostErrors)
  const left = errors.length - shown.length
  const causes = shown.map(finding => {
    const field = fieldOf(finding.field)
    return { reason: reasons[finding.problem ?? 'Forbidden'], field, message: sentence(finding).slice(field.length + 2) }
  })
  const more = left > 0 ? [{ reason: reasons.Forbidden, field: 'spec', message: `and ${left} more errors` }] : []
  return {
    status: 'Failure',
    code: 422,
    reason: 'Invalid',
    message: [...shown.map(sentence), ...more.map(({ message }) => message)].join('; '),
    details: { ...(name ? { name: fieldOf(name) } : {}), group, kind, causes: [...causes, ...more] },
  }
}

/** https://pkg.go.dev/k8s.io/apimachinery/pkg/apis/meta/v1#CauseType */
const reasons = {
  'Not found': 'FieldValueNotFound',
  'Required value': 'FieldValueRequired',
  'Invalid value': 'FieldValueInvalid',
  Forbidden: 'FieldValueForbidden',
  'Unsupported value': 'FieldValueNotSupported',
} as const

export const patched = ({ uid }: Head, patch: readonly PatchOperation[]): AdmissionResponse => ({
  uid,
  allowed: true,
  // For the API server, a patchType without a patch is an error.
  ...(patch.length > 0 ? { patch: Buffer.from(JSON.stringify(patch)).toString('base64'), patchType: 'JSONPatch' } : {}),
  auditAnnotations: { decision: patch.length > 0 ? 'defaulted' : 'unchanged' },
})

export const allowedWith = ({ uid }: Head, warning?: string): AdmissionResponse => ({
  uid, allowed: true, ...(warning ? { warnings: [warning] } : {}),
})

export const refusedWith = ({ uid }: Head, code: number, reason: string, message: string): AdmissionResponse => ({
  uid, allowed: false, status: { status: 'Failure', code, reason, message },
})
