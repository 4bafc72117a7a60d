/** The fields of a claim, or of a claim template, that are used here. */
export interface Claim {
  readonly metadata: {
    readonly name: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly spec?: {
    readonly accessModes?: readonly string[]
    readonly storageClassName?: string
    readonly volumeMode?: string
    readonly resources?: { readonly requests?: { readonly storage?: string } }
  }
  readonly status?: {
    readonly phase?: string
    readonly capacity?: { readonly storage?: string }
    readonly conditions?: readonly { readonly type: string, readonly status: string, readonly message?: string }[]
    readonly allocatedResourceStatuses?: { readonly storage?: string }
  }
}

/** The requested quantity. */
export const sizeOf = (claim: Claim | undefined) => claim?.spec?.resources?.requests?.storage ?? '0'
