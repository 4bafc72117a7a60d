import { cut } from '../dittoserver/quote.ts'
import { isObject } from '../dittoserver/structural.ts'

/** https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#webhook-request-and-response */
export const reviewVersion = 'admission.k8s.io/v1'

/** The metadata of a request. Texts that are longer than Kubernetes allows are cut. */
export interface RequestHead {
  readonly uid: string
  readonly kind: { readonly group: string, readonly version: string, readonly kind: string }
  /** The subresource that is updated, such as `status`; empty for the object itself. */
  readonly subResource: string
  readonly operation: string
  readonly namespace: string
  readonly name: string
  readonly dryRun: boolean
  readonly user: string
}

export interface AdmissionRequest {
  readonly head: RequestHead
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

/** A body that is not a review, with the message for the caller. */
export class NotAReview extends Error {
  override readonly name = 'NotAReview'
  readonly statusCode = 400
}

/** A UUID of the API server has 36 characters. The answer must repeat it, so it cannot be cut. */
const longestUid = 256
/** https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ */
const longestName = 253

const text = (value: unknown, longest = longestName): string => typeof value === 'string' ? cut(value, longest) : ''

/** @throws {NotAReview} if the body is not an AdmissionReview of version v1 */
export function parseReview (body: unknown): AdmissionRequest {
  if (!isObject(body) || body.kind !== 'AdmissionReview') throw new NotAReview('the body must be an AdmissionReview')
  if (body.apiVersion !== reviewVersion) {
    throw new NotAReview(`the AdmissionReview must have apiVersion '${reviewVersion}'; set admissionReviewVersions: ["v1"]`)
  }
  const { request } = body
  if (!isObject(request)) throw new NotAReview('the AdmissionReview must have a request')
  const { uid, kind, operation, userInfo } = request
  if (typeof uid !== 'string' || uid === '') throw new NotAReview('the request must have a uid')
  if (uid.length > longestUid) throw new NotAReview(`the uid must have at most ${longestUid} characters`)
  if (!isObject(kind)) throw new NotAReview('the request must have a kind')
  if (typeof operation !== 'string') throw new NotAReview('the request must have an operation')
  const head = {
    uid,
    kind: { group: text(kind.group), version: text(kind.version), kind: text(kind.kind) },
    subResource: text(request.subResource),
    operation: text(operation),
    namespace: text(request.namespace),
    name: text(request.name),
    dryRun: request.dryRun === true,
    user: isObject(userInfo) ? text(userInfo.username) : '',
  }
  return { head, object: request.object ?? null, oldObject: request.oldObject ?? null }
}
