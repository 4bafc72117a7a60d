import type { Rule, Severity } from './rule.ts'
import { rules } from './table.ts'

/** How much each rule weighs: its default, unless the configuration says otherwise. */
export type Policy = (rule: Rule) => Severity

export const defaultPolicy: Policy = ({ severity }) => severity

const severities: readonly string[] = ['deny', 'warn', 'off'] satisfies Severity[]

/** The CustomResourceDefinition enforces these as well: no configuration of ours can relax them. */
const isEnforcedBySchema = ({ claims, cel }: Rule) => Boolean(claims ?? cel)

/**
 * A policy from overrides such as `PORT-CONFLICT=deny`.
 * @throws {Error} a sentence that names the override, when the rule or the severity does not exist
 */
export function parsePolicy (overrides: readonly string[]): Policy {
  const chosen = new Map<string, Severity>()
  for (const override of overrides) {
    const [id = '', severity = ''] = override.split('=').map(part => part.trim())
    const rule = rules.find(candidate => candidate.id === id)
    if (!rule) throw new Error(`'${override}': there is no rule '${id}'; docs/rules.md lists them`)
    if (!severities.includes(severity)) throw new Error(`'${override}': the severity must be one of ${severities.join(', ')}`)
    if (isEnforcedBySchema(rule) && severity !== 'deny') {
      throw new Error(`'${override}': the CustomResourceDefinition enforces this rule, it can only be 'deny'`)
    }
    chosen.set(id, severity as Severity)
  }
  return rule => chosen.get(rule.id) ?? rule.severity
}
