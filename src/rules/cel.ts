import type { TextSyntax } from '../dittoserver/schema-kit.ts'
import type { CelRule } from './rule.ts'

/**
 * The CEL rule as it is written into the CustomResourceDefinition. A rule that does not compare states itself is skipped while the fields
 * it depends on are unchanged, so that an object from before the rule can still be edited and deleted. The API server does this itself only
 * if the rule evaluates to false for an unchanged node. A rule that ends in an error, such as `duration('x')`, would block every update,
 * including those of metadata. In CEL, `true || error` is true.
 */
export function celValidation ({ at: _, rule, restsOn, mayFail, ...validation }: CelRule) {
  if (rule.includes('oldSelf') || (!restsOn && !mayFail)) return { ...validation, rule }
  return { ...validation, rule: `oldSelf.hasValue() && ${unchanged(restsOn)} || (${rule})`, optionalOldSelf: true }
}

const old = 'oldSelf.value()'

/** Written with `has`: for `self.?a == oldSelf.?a` the API server cannot estimate the cost, and refuses the rule. */
function unchanged (paths: readonly string[] | undefined): string {
  if (!paths) return `self == ${old}`
  return paths.map(path => {
    const presence = path.startsWith('has(') ? path.slice('has('.length, -1) : undefined
    const here = has('self', presence ?? path)
    const there = has(old, presence ?? path)
    return presence === undefined ? `${here} == ${there} && (!${here} || self.${path} == ${old}.${path})` : `${here} == ${there}`
  }).join(' && ')
}

/** CEL: the path and all its parents exist. */
export const has = (root: string, path: string): string =>
  `(${path.split('.').map((_, index, keys) => `has(${[root, ...keys.slice(0, index + 1)].join('.')})`).join(' && ')})`

/** Whether a string of the old object is valid in the schema: an invalid old value says nothing about the current change. */
export const fits = (value: string, { pattern, minLength, maxLength }: TextSyntax): string => `(${[
  `${value}.size() <= ${maxLength}`,
  ...minLength === undefined ? [] : [`${value}.size() >= ${minLength}`],
  ...pattern === undefined ? [] : [`${value}.matches(r'${pattern}')`],
].join(' && ')})`
