import { isObject } from './structural.ts'

/** The metadata fields that are used. Absent text is empty. */
export interface Metadata {
  readonly name: string
  readonly namespace: string
  readonly generateName: string
  readonly uid: string
  readonly generation: number
  readonly deletionTimestamp?: string
  /** As received: callers must ignore values that are not strings. */
  readonly annotations: Readonly<Record<string, unknown>>
  readonly finalizers: readonly string[]
}

const textOf = (value: unknown): string => typeof value === 'string' ? value : ''

/** Reads any JSON value as metadata, and never throws. Invalid fields count as absent. */
export function readMetadata (value: unknown): Metadata {
  const raw = isObject(value) ? value : {}
  return {
    name: textOf(raw.name),
    namespace: textOf(raw.namespace),
    generateName: textOf(raw.generateName),
    uid: textOf(raw.uid),
    generation: typeof raw.generation === 'number' ? raw.generation : 0,
    ...(typeof raw.deletionTimestamp === 'string' ? { deletionTimestamp: raw.deletionTimestamp } : {}),
    annotations: isObject(raw.annotations) ? raw.annotations : {},
    finalizers: Array.isArray(raw.finalizers) ? raw.finalizers.filter(entry => typeof entry === 'string') : [],
  }
}
