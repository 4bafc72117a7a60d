import type { DittoServer } from '../dittoserver/dittoserver.ts'
import type { DittoServerSpec } from '../dittoserver/schema.ts'
import type { SchemaError } from '../dittoserver/validate.ts'
import type { Fact, SecretFact, StorageClassFact } from './facts.ts'

export type Operation = 'CREATE' | 'UPDATE'
export type Severity = 'deny' | 'warn' | 'off'

/** One thing of the cluster that a rule must know of. */
export type Need =
  | { readonly kind: 'StorageClass', readonly name: string }
  | { readonly kind: 'StorageClasses' }
  | { readonly kind: 'Secret', readonly name: string }
  | { readonly kind: 'PerconaCRD' }

/** What has been learned of the cluster: exactly what the rules said they need. */
export interface Facts {
  storageClass (name: string): Fact<StorageClassFact>
  storageClasses (): Fact<readonly StorageClassFact[]>
  secret (name: string): Fact<SecretFact>
  perconaServed (): Fact<true>
}

export interface Subject {
  readonly server: DittoServer
  /** The object before the change. Absent on CREATE. */
  readonly old?: DittoServer
  readonly facts: Facts
}

/** Headings of an error, as Kubernetes words them. A warning needs none. */
export type Problem = 'Not found' | 'Required value' | 'Invalid value' | 'Forbidden' | 'Unsupported value'

export interface Complaint {
  /** Path from the root of the object: `spec.storage.storageClassName`. */
  readonly field: string
  readonly problem?: Problem
  /** The user's value, quoted in the sentence. */
  readonly found?: unknown
  /** What is wrong or what is allowed, in one clause. */
  readonly detail: string
}

/** The same rule for the API server: `x-kubernetes-validations`, so that an outage of the webhook lets nothing in. */
export interface CelRule {
  /** Path of the schema node that carries it; empty for the root. */
  readonly at: string
  readonly rule: string
  readonly message: string
  readonly fieldPath?: string
  readonly reason?: 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired'
  readonly optionalOldSelf?: true
}

/** A case that makes the rule speak: documentation and test in one. Parts are merged over a minimal legal object. */
export interface Example {
  readonly name?: string
  readonly spec?: object
  readonly oldSpec?: object
  readonly status?: object
  readonly cluster?: {
    readonly storageClasses?: readonly StorageClassFact[]
    readonly secrets?: Readonly<Record<string, Readonly<Record<string, number>>>>
    readonly percona?: boolean
    /** The cluster does not answer, for this reason. */
    readonly away?: string
  }
}

export interface Rule {
  /** Stable: people, metrics and configuration refer to it. */
  readonly id: string
  readonly severity: 'deny' | 'warn'
  /** Absent: both. */
  readonly operations?: readonly Operation[]
  readonly summary: string
  /** The refusal rests on the absence of another object, which may be part of the same dry-run: there it only warns. */
  readonly restsOnAbsence?: true
  /** An annotation that names the rule turns the refusal into a warning. */
  readonly acknowledgeable?: true
  /** The rule gives its name to these errors of the schema; its `judge` has nothing to add. */
  readonly claims?: (error: SchemaError) => boolean
  readonly cel?: readonly CelRule[]
  readonly needs?: (subject: Omit<Subject, 'facts'>) => readonly Need[]
  /** On UPDATE the rule applies only if this part of the spec changed. */
  readonly when?: (spec: DittoServerSpec) => unknown
  readonly judge: (subject: Subject) => readonly Complaint[]
  readonly example: Example
}
