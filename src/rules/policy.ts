import type { Rule, Severity } from './rule.ts'
import { rules } from './table.ts'

/** The severity of each rule: its default, unless it is overridden. */
export type Policy = (rule: Rule) => Severity

export const defaultPolicy: Policy = ({ severity }) => severity

const severities: readonly string[] = ['deny', 'warn', 'off'] satisfies Severity[]

/** The CustomResourceDefinition enforces these rules too, so no configuration can relax them. */
export const isEnforcedBySchema = ({ claims, cel }: Rule) => Boolean(claims ?? cel)

/**
 * A policy from overrides such as `PORT-CONFLICT=deny`.
 * @throws {Error} a sentence that names the override, if the rule or the severity does not exist
 */
export function parsePolicy (overrides: readonly string[]): Policy {
  const chosen = new Map<string, Severity>()
  for (const override of overrides) {
    const [id = '', severity = '', ...more] = override.split('=').map(part => part.trim())
    const rule = rules.find(candidate => candidate.id === id)
    if (!rule) throw new Error(`'${override}': there is no rule '${id}'; docs/rules.md lists them`)
    if (more.length > 0 || !severities.includes(severity)) throw new Error(`'${override}': the severity must be one of ${severities.join(', ')}`)
    if (isEnforcedBySchema(rule) && severity !== 'deny') {
      throw new Error(`'${override}': the CustomResourceDefinition enforces this rule, it can only be 'deny'`)
    }
    chosen.set(id, severity as Severity)
  }
  return rule => chosen.get(rule.id) ?? rule.severity
}
