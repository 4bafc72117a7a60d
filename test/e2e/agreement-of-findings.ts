import { rules } from '../../src/rules/table.ts'
import type { KubectlError, KubectlFindings } from './kubectl-findings.ts'

// Whether `check` and kubectl have the same findings. kubectl reports only the first stage that refuses the object, `check` reports all
// stages. So for each object the errors of the first stage count, and warnings count only if no stage before the webhook refuses.

export interface Entry { readonly rule: string, readonly field: string, readonly message: string }
export interface Item {
  readonly line: number
  readonly name: string
  readonly errors: readonly Entry[]
  readonly warnings: readonly Entry[]
}

/** Who judges, in turn. In `decoding` kubectl makes typed metadata of an object, and in `mapping` it looks for its kind. */
const stages = ['decoding', 'mapping', 'strict decoding', 'namespace', 'validation', 'webhook'] as const
type Stage = typeof stages[number]

const enforced = new Set(rules.filter(({ claims, cel }) => claims ?? cel).map(({ id }) => id))
const ofCel = new Set(rules.filter(({ cel }) => cel).map(({ id }) => id))

function stageOf ({ rule, field, message }: Entry): Stage {
  if (rule === 'MANIFEST') return 'decoding'
  if (rule === 'METADATA' && /: must be (a|an) (string|object|array|boolean|integer|time)\b/.test(message)) return 'decoding'
  if (rule === 'KIND' || field === 'metadata.generateName') return 'mapping'
  if (rule === 'NAME-FORMAT' && message.includes("Invalid value: ''")) return 'mapping'
  if (rule === 'UNKNOWN-FIELD') return 'strict decoding'
  if (rule === 'METADATA') return field === 'metadata.namespace' ? 'namespace' : 'validation'
  return enforced.has(rule) ? 'validation' : 'webhook'
}

const demoted = (warning: string) => / \(only a warning in a dry run\)/.test(warning)
const undemoted = (warning: string) => warning.replace(' (only a warning in a dry run)', '')
/** Only `check` reports these: kubectl silently uses the last value. */
const isOwn = ({ rule }: Entry) => rule === 'DUPLICATE-KEY'

/** Findings of `check` that kubectl should have reported too. */
function expected ({ errors, warnings }: Item): { stage: Stage | undefined, errors: readonly Entry[], warnings: readonly Entry[] } {
  const first = stages.find(stage => errors.some(entry => stageOf(entry) === stage))
  if (first === undefined || first === 'webhook') return { stage: first, errors, warnings: warnings.filter(entry => !isOwn(entry)) }
  return { stage: first, errors: errors.filter(entry => stageOf(entry) === first), warnings: [] }
}

/** Without the indexes of lists, and with every key behind a dot. */
const plainPath = (field: string) => field.replaceAll(/\[[0-9]+\]/g, '').replaceAll(/\['([^']*)'\]/g, '.$1')
const isPrefix = (prefix: string, field: string) => prefix === '' || prefix === field || (field.startsWith(prefix) && /^[.[]/.test(field.slice(prefix.length)))

/** Rules name themselves in their sentence, fields are named alike; of a field that is not there the API server names the one around it. */
function sameError (theirs: KubectlError, ours: Entry): boolean {
  const [kind] = /no matches for kind "[^"]*" in version "[^"]*"/.exec(theirs.message) ?? []
  if (kind !== undefined) return ours.message.includes(kind)
  const [, rule] = /\[([A-Z0-9-]+)\]$/.exec(theirs.message) ?? []
  if (rule !== undefined) return rule === ours.rule
  // "Invalid value: null: spec.storage is required" and similar errors mean the same in both.
  const [our, their] = [plainPath(ours.field), plainPath(theirs.field)]
  return isPrefix(their, our) || isPrefix(our, their)
}

/** Additional messages of the API server for a schema error. */
const incomplete = /some validation rules were not checked|Checked value must be of type/

/** Ways in which they differ; none where they agree. */
export function disagreements (items: readonly Item[], kubectl: KubectlFindings): string[] {
  const all = items.map(expected)
  const ourWarnings = new Set([
    ...all.flatMap(({ warnings }) => warnings.filter(({ rule }) => rule !== 'METADATA').map(({ message }) => message)),
    ...all.flatMap(({ stage, errors }) => stage === 'webhook' ? errors.map(({ message }) => message) : []),
  ])
  const theirWarnings = new Set(kubectl.warnings.filter(warning => !warning.startsWith('metadata.')).map(undemoted))
  const refused = all.flatMap(({ stage, errors }) => stage === undefined || stage === 'webhook' ? [] : errors)
  const theirs = kubectl.errors.filter(({ message }) => !incomplete.test(message))
  // Where the schema is broken, the API server leaves its CEL rules out, and says so.
  const isLeftOut = ({ rule }: Entry) => kubectl.errors.some(({ message }) => incomplete.test(message)) && ofCel.has(rule)
  return [
    ...[...ourWarnings].filter(message => !theirWarnings.has(message)).map(message => `only check: ${message}`),
    ...[...theirWarnings].filter(message => !ourWarnings.has(message)).map(message => `only kubectl: Warning: ${message}`),
    ...refused.filter(ours => !isLeftOut(ours) && !theirs.some(their => sameError(their, ours))).map(({ message }) => `only check: ${message}`),
    ...theirs.filter(their => !refused.some(ours => sameError(their, ours))).map(({ field, message }) => `only kubectl: ${field}: ${message}`),
  ]
}

/** kubectl lets an object pass in a dry run that it would refuse otherwise. */
export const refusedOutsideDryRun = ({ warnings }: KubectlFindings): boolean => warnings.some(demoted)
