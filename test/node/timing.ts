/** Times of kubelet that a test may want to be shorter. Milliseconds. */
export interface Timing {
  /** Before a container that ended for the second time is started again; it doubles each time. */
  readonly crashBackoff: number
  /** Before an image that cannot be pulled is tried again; it doubles each time. */
  readonly imageBackoff: number
  /** Where both stop to double. A container that ran for twice as long starts from the beginning. */
  readonly maxBackoff: number
  /** Before anything else that is missing (a Secret, a ConfigMap) is looked for again. */
  readonly retry: number
}

/** The defaults of the kubelet. */
export const kubeletTiming: Timing = { crashBackoff: 10_000, imageBackoff: 10_000, maxBackoff: 300_000, retry: 10_000 }
