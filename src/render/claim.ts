import { compareQuantities } from '../dittoserver/quantity.ts'

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

/** What it asks for: a quantity. */
export const sizeOf = (claim: Claim | undefined) => claim?.spec?.resources?.requests?.storage ?? '0'

export const isSameClaim = (a: Claim, b: Claim): boolean =>
  compareQuantities(sizeOf(a), sizeOf(b)) === 0 && a.spec?.storageClassName === b.spec?.storageClassName
