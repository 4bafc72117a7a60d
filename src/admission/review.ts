import { isObject } from '../dittoserver/structural.ts'

/** https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#webhook-request-and-response */
export const reviewVersion = 'admission.k8s.io/v1'

export interface AdmissionRequest {
  readonly uid: string
  readonly kind: { readonly group: string, readonly version: string, readonly kind: string }
  readonly operation: string
  readonly namespace: string
  readonly name: string
  readonly dryRun: boolean
  readonly user: string
  readonly object: unknown
  readonly oldObject: unknown
}

export interface AdmissionResponse {
  readonly uid: string
  readonly allowed: boolean
  readonly status?: Status
  readonly warnings?: readonly string[]
  readonly patch?: string
  readonly patchType?: 'JSONPatch'
  readonly auditAnnotations?: Readonly<Record<string, string>>
}

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/ */
export interface Status {
  readonly kind?: 'Status'
  readonly apiVersion?: 'v1'
  readonly status: 'Failure'
  readonly code: number
  readonly reason: string
  readonly message: string
  readonly details?: {
    readonly name?: string
    readonly group?: string
    readonly kind?: string
    readonly causes: readonly { readonly reason: string, readonly field: string, readonly message: string }[]
  }
}

export const reviewOf = (response: AdmissionResponse) => ({ apiVersion: reviewVersion, kind: 'AdmissionReview', response })

/** A body that is no review, with the sentence for the caller. */
export class NotAReview extends Error {
  override readonly name = 'NotAReview'
  readonly statusCode = 400
}

const text = (value: unknown): string => typeof value === 'string' ? value : ''

/** @throws {NotAReview} for whatever is not an AdmissionReview of the one version that is spoken here */
export function parseReview (body: unknown): AdmissionRequest {
  if (!isObject(body) || body.kind !== 'AdmissionReview') throw new NotAReview('the body must be an AdmissionReview')
  if (body.apiVersion !== reviewVersion) {
    throw new NotAReview(`the AdmissionReview must have apiVersion '${reviewVersion}'; set admissionReviewVersions: ["v1"]`)
  }
  const { request } = body
  if (!isObject(request)) throw new NotAReview('the AdmissionReview must have a request')
  const { uid, kind, operation, userInfo } = request
  if (typeof uid !== 'string' || uid === '') throw new NotAReview('the request must have a uid')
  if (!isObject(kind)) throw new NotAReview('the request must have a kind')
  if (typeof operation !== 'string') throw new NotAReview('the request must have an operation')
  return {
    uid,
    kind: { group: text(kind.group), version: text(kind.version), kind: text(kind.kind) },
    operation,
    namespace: text(request.namespace),
    name: text(request.name),
    dryRun: request.dryRun === true,
    user: isObject(userInfo) ? text(userInfo.username) : '',
    object: request.object ?? null,
    oldObject: request.oldObject ?? null,
  }
}
