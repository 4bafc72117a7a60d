import { group } from '../dittoserver/api.ts'
import { plain, sentence, type Finding } from '../rules/finding.ts'
import type { Verdict } from '../rules/judge.ts'
import type { PatchOperation } from './mutate.ts'
import type { AdmissionRequest, AdmissionResponse, Status } from './review.ts'
import { fitWarnings } from './warnings.ts'

/** Most errors that one reply spells out; a person mends the first page first. */
const mostErrors = 40

/** The answer to a request that was judged: every error and every warning at once. */
export function respond ({ uid, name }: AdmissionRequest, { allowed, errors, warnings, exempt }: Verdict): AdmissionResponse {
  const fitted = fitWarnings(warnings.map(sentence))
  return {
    uid,
    allowed,
    ...(allowed ? {} : { status: refusal(name, errors) }),
    ...(fitted.length > 0 ? { warnings: fitted } : {}),
    auditAnnotations: {
      decision: exempt ? `allow-${exempt}` : allowed ? 'allow' : 'deny',
      ...ruleAnnotation([...errors, ...warnings]),
    },
  }
}

const ruleAnnotation = (findings: readonly Finding[]) =>
  findings.length > 0 ? { rules: [...new Set(findings.map(({ rule }) => rule))].join(',') } : {}

/** Causes as the API server itself gives them for an invalid object: kubectl prints one line each. */
function refusal (name: string, errors: readonly Finding[]): Status {
  const shown = errors.slice(0, mostErrors)
  const more = errors.length > shown.length ? `; and ${errors.length - shown.length} more` : ''
  return {
    status: 'Failure',
    code: 422,
    reason: 'Invalid',
    message: shown.map(sentence).join('; ') + more,
    details: {
      ...(name ? { name: plain(name) } : {}),
      group,
      kind: 'DittoServer',
      causes: shown.map(finding => {
        const field = plain(finding.field)
        return { reason: reasons[finding.problem ?? 'Forbidden'], field, message: sentence(finding).slice(field.length + 2) }
      }),
    },
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

export const patched = ({ uid }: AdmissionRequest, patch: readonly PatchOperation[]): AdmissionResponse => ({
  uid,
  allowed: true,
  // A patchType without a patch is an error to the API server.
  ...(patch.length > 0 ? { patch: Buffer.from(JSON.stringify(patch)).toString('base64'), patchType: 'JSONPatch' } : {}),
})

export const allowedWith = ({ uid }: AdmissionRequest, warning?: string): AdmissionResponse => ({
  uid, allowed: true, ...(warning ? { warnings: [warning] } : {}),
})

export const refusedWith = ({ uid }: AdmissionRequest, code: number, reason: string, message: string): AdmissionResponse => ({
  uid, allowed: false, status: { status: 'Failure', code, reason, message },
})
