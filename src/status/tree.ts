import type { Condition } from '../dittoserver/schema.ts'

/**
 * `ok`: as it should be. `progress`: not yet, and something is being done about it. `wrong`: it will not become ready by itself. `unknown`:
 * it could not be read.
 */
export type State = 'ok' | 'progress' | 'wrong' | 'unknown'

/** One object of a server, or one container of its pod. */
export interface Branch {
  readonly kind: string
  readonly name: string
  readonly state: State
  /** What there is to say about it, in one line. */
  readonly detail: string
  /** What is wrong, and what to do, where the line is too short for it. */
  readonly message?: string
  /** The same for programs, where the line says more than words. */
  readonly facts?: Readonly<Record<string, unknown>>
  readonly branches?: readonly Branch[]
}

/** Something that is wrong or in progress. */
export interface Concern {
  readonly state: 'wrong' | 'progress'
  /** A condition, or an object. */
  readonly subject: string
  readonly message: string
}

/** A step of the first start of a server, in order. */
export interface Stage { readonly title: string, readonly state: 'done' | 'current' | 'waiting' }

export interface ServerTree {
  readonly namespace: string
  readonly name: string
  /** The condition `Ready` is true, for the current generation. */
  readonly ready: boolean
  /** The worst of everything below. */
  readonly state: State
  readonly phase: string
  readonly generation: number
  readonly observedGeneration: number
  readonly age: string
  readonly endpoint: string | undefined
  /** What is wrong first, then what is in progress. */
  readonly concerns: readonly Concern[]
  /** Empty once the server has been ready. */
  readonly stages: readonly Stage[]
  readonly branches: readonly Branch[]
  readonly conditions: readonly Condition[]
}

const order: readonly State[] = ['ok', 'unknown', 'progress', 'wrong']

/** Something unknown is no fault of the server. */
export const worst = (states: readonly State[]): State => order[Math.max(0, ...states.map(state => order.indexOf(state)))] ?? 'ok'
