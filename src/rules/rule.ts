import type { DittoServer } from '../dittoserver/dittoserver.ts'
import type { SchemaError } from '../dittoserver/schema-errors.ts'
import type { Facts, StorageClassFact } from './facts.ts'

export type Operation = 'CREATE' | 'UPDATE'
export type Severity = 'deny' | 'warn' | 'off'

/** One fact about the cluster that a rule needs. */
export type Need = (
  | { readonly kind: 'StorageClass', readonly name: string }
  | { readonly kind: 'StorageClasses' }
  | { readonly kind: 'Secret', readonly name: string }
  | { readonly kind: 'PerconaCRD' }
  | { readonly kind: 'PerconaOperator' }
  | { readonly kind: 'PerconaCluster', readonly name: string }
) & {
  /** The field that cannot be verified without this fact. Absent: the fact only improves a message. */
  readonly field?: string
}

export interface Subject {
  readonly server: DittoServer
  /** The object before the change. Absent on CREATE. */
  readonly old?: DittoServer
  readonly facts: Facts
  /** The facts that the rules needed but could not be looked up. */
  readonly unverified: readonly Unverified[]
}

export interface Unverified {
  readonly need: Need
  readonly field: string
  readonly reason: string
}

/** Types of errors, with the texts of Kubernetes. A warning has none. */
export type Problem = 'Not found' | 'Required value' | 'Invalid value' | 'Forbidden' | 'Unsupported value'

export interface Complaint {
  /** Path from the root of the object: `spec.storage.storageClassName`. */
  readonly field: string
  /**
   * The fields that the complaint depends on; if absent, only `field`. While they are unchanged, the complaint does not block an update. If
   * one of them is invalid in the old object, a comparison with it is skipped.
   */
  readonly restsOn?: readonly string[]
  readonly problem?: Problem
  /** The user's value, quoted in the message. */
  readonly found?: unknown
  /** What is wrong or what is allowed, in one clause. */
  readonly detail: string
  /** The clause to use instead if the user has acknowledged the rule. */
  readonly acknowledged?: string
  /** The complaint may be wrong: it is never more than a warning. */
  readonly uncertain?: true
}

/** The same rule for the API server, as `x-kubernetes-validations`, so that it also applies during an outage of the webhook. See cel.ts. */
export interface CelRule {
  /** Path of the schema node that has the rule; empty for the root. The deeper it is, the less an error elsewhere affects it. */
  readonly at: string
  /** Must not fail for any value of the old object that the schema allows or once allowed. */
  readonly rule: string
  readonly message: string
  /**
   * Paths below `at` that the verdict depends on, as in `Complaint`; `has(path)` if only the existence of the path matters. Absent: the
   * whole node. Not used for rules that compare states.
   */
  readonly restsOn?: readonly string[]
  /** For some value that the schema does not allow, the rule ends in an error instead of false. */
  readonly mayFail?: true
  readonly fieldPath?: string
  readonly reason?: 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired'
  readonly optionalOldSelf?: true
}

/** An example that triggers the rule: documentation and test in one. Its parts are merged over a minimal valid object. */
export interface Example {
  readonly name?: string
  readonly spec?: object
  readonly oldSpec?: object
  readonly cluster?: {
    readonly storageClasses?: readonly StorageClassFact[]
    readonly secrets?: Readonly<Record<string, Readonly<Record<string, number>>>>
    /** Version of the Percona operator; `true`: an operator whose version is unknown. */
    readonly percona?: boolean | string
    /** Version of PostgreSQL, by name of the PerconaPGCluster. */
    readonly perconaClusters?: Readonly<Record<string, number>>
    /** The cluster does not answer, for this reason. */
    readonly away?: string
  }
}

export interface Rule {
  /** Stable: users, metrics and configuration refer to it. */
  readonly id: string
  readonly severity: 'deny' | 'warn'
  /** Absent: both. A rule with only UPDATE compares states: fields with an invalid old value are then ignored. */
  readonly operations?: readonly Operation[]
  readonly summary: string
  /** The error depends on another object, which may be part of the same dry run. In a dry run it is only a warning. */
  readonly restsOnCluster?: true
  /** An annotation with the rule ID turns the error into a warning. */
  readonly acknowledgeable?: true
  /** The rule gives its ID to these schema errors. */
  readonly claims?: (error: SchemaError) => boolean
  readonly cel?: readonly CelRule[]
  readonly needs?: (subject: Pick<Subject, 'server' | 'old'>) => readonly Need[]
  /** On UPDATE the rule applies only if one of these fields changed. */
  readonly when?: readonly string[]
  readonly judge: (subject: Subject) => readonly Complaint[]
  readonly example: Example
}
