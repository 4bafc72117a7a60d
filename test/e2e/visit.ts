import type { Visit } from './interesting-values.ts'

export const spell = ({ path, value }: Visit) => `${path.join('.')} = ${JSON.stringify(value)}`

/** As many as are wanted, evenly spread: a number, `all`, or as many as there is time for in CI. */
export function chosen (all: readonly Visit[], wanted: string | undefined, inCi: number): Visit[] {
  const count = Math.min(all.length, wanted === 'all' ? all.length : Number(wanted ?? inCi))
  return Array.from({ length: count }, (_, index) => all[Math.floor(index * all.length / count)] ?? []).flat()
}

const at = (path: readonly string[], value: unknown): unknown => path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value)
const valueAt = (spec: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((holder, key) => (holder as Record<string, unknown> | undefined)?.[key], spec)

/** A merge patch of the spec. */
export const changeOf = ({ path, value }: Visit): unknown => at(path, value)

/** Reverts a change of the spec: a section that did not exist is removed completely, because an empty one may have another meaning. */
export function undo (before: unknown, { path }: Visit): unknown {
  const depth = path.findIndex((_, index) => valueAt(before, path.slice(0, index + 1)) === undefined)
  return depth < 0 ? at(path, valueAt(before, path)) : at(path.slice(0, depth + 1), null)
}
