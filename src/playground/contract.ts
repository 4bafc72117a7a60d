// The messages between the server and the page. Types only, so that the page can import them without the code of the server.

export interface Position { readonly line: number, readonly column: number }

/** The body of `POST /api/try`. */
export interface TryRequest {
  /** One or more YAML documents. Objects of other kinds count as objects of the cluster. */
  readonly text: string
  /** The document of the running servers that `text` edits. Absent: every server is new. */
  readonly running?: string
  /** The pane that is open. The answer contains what it shows, and no more: the verdict must not wait for it. */
  readonly pane: Pane
}

export type Pane = 'verdict' | 'defaulted' | 'objects' | 'picture' | 'effects'

export interface Trial {
  /** Documents that cannot be read. */
  readonly problems: readonly { readonly message: string, readonly line: number }[]
  readonly servers: readonly ServerTrial[]
}

export interface Remark extends Position {
  readonly severity: 'deny' | 'warn'
  readonly rule: string
  /** The page that documents the rule. */
  readonly url: string
  readonly field: string
  readonly message: string
}

/** The result for one DittoServer of the document. */
export interface ServerTrial {
  readonly namespace: string
  readonly name: string
  /** Where it begins in the document. */
  readonly line: number
  readonly operation: 'CREATE' | 'UPDATE'
  readonly allowed: boolean
  /** The lines that kubectl prints. */
  readonly kubectl: readonly string[]
  readonly remarks: readonly Remark[]
  /** The objects that the operator would create, in order. */
  readonly creates: readonly { readonly kind: string, readonly name: string }[]
  /** Why nothing is rendered. */
  readonly notRendered?: string
  /** For the pane that is open. */
  readonly defaulted?: Defaulted
  readonly objects?: readonly RenderedObject[]
  readonly picture?: Picture
  /** Also only for an update. */
  readonly effects?: Effects
}

/** The object as it would be stored. */
export interface Defaulted {
  readonly yaml: string
  /** Lines that are not in the document, from 1. */
  readonly added: readonly number[]
}

export interface RenderedObject {
  readonly kind: string
  readonly name: string
  readonly yaml: string
}

/** `unknown`: the lookup failed. */
export type Presence = 'rendered' | 'present' | 'missing' | 'unknown'

export interface Picture {
  readonly nodes: readonly PictureNode[]
  readonly edges: readonly { readonly from: string, readonly to: string }[]
}

export interface PictureNode {
  readonly id: string
  readonly column: 'access' | 'server' | 'needs' | 'class'
  readonly kind: string
  readonly name: string
  readonly detail: string
  readonly presence: Presence
}

export interface Effects {
  /** One sentence. */
  readonly summary: string
  readonly fields: readonly FieldEffect[]
  readonly steps: readonly EffectStep[]
}

/** A field of the spec that differs from the running server. */
export interface FieldEffect {
  readonly field: string
  readonly before: string
  readonly after: string
  readonly effect: string
}

export type EffectKind = 'refuse' | 'restart' | 'stop' | 'start' | 'grow' | 'replace' | 'create' | 'update' | 'delete'

export interface EffectStep {
  readonly effect: EffectKind
  readonly what: string
  readonly detail: string
}

/** An event `review` of `/api/reviews`. */
export interface LiveReview {
  readonly id: number
  readonly time: string
  readonly webhook: 'mutate' | 'validate'
  readonly operation: string
  readonly namespace: string
  readonly name: string
  readonly user: string
  readonly dryRun: boolean
  readonly allowed: boolean
  readonly milliseconds: number
  /** The lines that kubectl prints. */
  readonly kubectl: readonly string[]
}

/** One server in an event `servers` of `/api/reviews`. */
export interface LiveServer {
  readonly namespace: string
  readonly name: string
  readonly phase: string
  readonly isReady: boolean
  readonly message: string
}
