/** The part of a claim, or of a claim template, that matters here. */
export interface Claim {
  readonly metadata: { readonly name: string }
  readonly spec?: {
    readonly accessModes?: readonly string[]
    readonly storageClassName?: string
    readonly resources?: { readonly requests?: { readonly storage?: string } }
  }
  readonly status?: { readonly capacity?: { readonly storage?: string } }
}
