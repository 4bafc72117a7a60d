import type { AdmissionResponse } from '../admission/review.ts'
import { refusalLines } from '../check/refusal-lines.ts'
import { apiVersion, group, kind } from '../dittoserver/api.ts'

/** A verdict in the format in which kubectl prints it for the user who applied the object. */
export function kubectlView (name: string, { allowed, warnings = [], status }: AdmissionResponse): string[] {
  const lines = warnings.map(warning => `Warning: ${warning}`)
  if (allowed) return [...lines, `dittoserver.${group}/${name} allowed`]
  const causes = status?.details?.causes ?? []
  if (causes.length === 0) return [...lines, `Error from server (${status?.reason ?? 'Unknown'}): ${status?.message ?? ''}`]
  return [...lines, ...refusalLines(name, causes.map(({ field, message }) => `${field}: ${message}`))]
}

/** The review that the API server would send for a new object. */
export function reviewForCreate (object: unknown, name: string, namespace: string, uid: string, oldObject: unknown = null) {
  const [, version] = apiVersion.split('/')
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid, kind: { group, version, kind }, operation: oldObject ? 'UPDATE' : 'CREATE', name, namespace, object, oldObject, dryRun: false, userInfo: { username: 'you' },
    },
  }
}
