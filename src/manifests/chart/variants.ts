import type { Installation } from '../install/installation.ts'
import {
  hasIssuer, isAggregated, isMonitored, isNamespaced, isOnHostNetwork, no, onlyAnswers, readsSecretsByName, usesCertManager,
} from '../install/manifest.ts'
import type { Part } from '../install/manifest.ts'
import { yamlOf } from '../yaml.ts'
import { issuerRef, ofCertManager, ofFiles } from './settings.ts'

/** A change of the settings, and the Helm expression that selects it. */
interface Variant {
  readonly helm: string
  readonly change: Partial<Installation>
}

const watchNamespace = '{{ .Values.watchNamespace }}'

const variants: readonly Variant[] = [
  { helm: usesCertManager.helm, change: ofCertManager },
  { helm: 'eq .Values.certificates.mode "files"', change: ofFiles },
  { helm: hasIssuer.helm, change: { issuerRef } },
  { helm: onlyAnswers.helm, change: { controller: false } },
  { helm: isNamespaced.helm, change: { watchNamespace } },
  { helm: readsSecretsByName.helm, change: { secretAccess: 'get' } },
  { helm: isMonitored.helm, change: { monitoring: true } },
  { helm: '.Values.clientCertificates.required', change: { clientCertificates: true } },
  { helm: isOnHostNetwork.helm, change: { hostNetwork: true } },
  { helm: no(isAggregated).helm, change: { aggregateRoles: false } },
]

/** Lines that a variant replaces. */
interface Edit {
  readonly start: number
  readonly end: number
  readonly lines: readonly string[]
  readonly conditions: readonly string[]
}

/** The longest common subsequence of lines, as pairs of indices. */
function commonLines (before: readonly string[], after: readonly string[]): [number, number][] {
  const lengths = Array.from({ length: before.length + 1 }, () => new Uint16Array(after.length + 1))
  const at = (i: number, j: number) => lengths[i]?.[j] ?? 0
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      const row = lengths[i]
      if (row) row[j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  const pairs: [number, number][] = []
  for (let i = 0, j = 0; i < before.length && j < after.length;) {
    if (before[i] === after[j]) pairs.push([i++, j++])
    else if (at(i + 1, j) >= at(i, j + 1)) i++
    else j++
  }
  return pairs
}

function edits (before: readonly string[], after: readonly string[], condition: string): Edit[] {
  let [from, to] = [0, 0]
  const found: Edit[] = []
  for (const [i, j] of [...commonLines(before, after), [before.length, after.length] as const]) {
    if (i > from || j > to) found.push({ start: from, end: i, lines: after.slice(to, j), conditions: [condition] })
    from = i + 1
    to = j + 1
  }
  return found
}

/** Merges edits: the same edit with two conditions becomes one. @throws if two variants change the same lines in different ways */
function merged (all: readonly Edit[], what: string): Edit[] {
  const result: Edit[] = []
  for (const edit of all) {
    const same = result.findIndex(({ start, end, lines }) => start === edit.start && end === edit.end && lines.join('\n') === edit.lines.join('\n'))
    const known = result[same]
    if (known) result[same] = { ...known, conditions: [...known.conditions, ...edit.conditions] }
    else if (result.some(({ start, end }) => start < edit.end && edit.start < end)) throw new Error(`${what}: two variants change the same lines`)
    else result.push(edit)
  }
  return result.sort((a, b) => a.start - b.start || a.end - b.end)
}

const anyOf = (conditions: readonly string[]) => conditions.length === 1 ? conditions.join('') : `or ${conditions.map(one => `(${one})`).join(' ')}`

function apply (base: readonly string[], list: readonly Edit[]): string[] {
  const result: string[] = []
  let at = 0
  for (const { start, end, lines, conditions } of list) {
    const [before, condition] = [base.slice(start, end), anyOf(conditions)]
    result.push(...base.slice(at, start))
    if (lines.length === 0) result.push(`{{- if not (${condition}) }}`, ...before)
    else result.push(`{{- if ${condition} }}`, ...lines, ...(before.length > 0 ? ['{{- else }}', ...before] : []))
    result.push('{{- end }}')
    at = end
  }
  return [...result, ...base.slice(at)]
}

const linesOf = (object: unknown) => yamlOf(object).trimEnd().split('\n')

/** An object with all its variants. Each line that not all variants have gets a condition, except the condition of the whole object. */
export function withVariants ({ when, manifest }: Part, settings: Installation): string[] {
  const changes = [{}, ...variants.map(({ change }) => change), { watchNamespace, controller: false }]
  const candidates = changes.map(change => ({ ...settings, ...change }))
  const chosen = candidates.find(candidate => when?.holds(candidate) ?? true)
  if (!chosen) throw new Error('an object that is part of no variant')
  const base = linesOf(manifest(chosen))
  const all = variants.flatMap(({ helm, change }) => {
    const changed = { ...chosen, ...change }
    return when && !when.holds(changed) ? [] : edits(base, linesOf(manifest(changed)), helm)
  })
  return apply(base, merged(all, manifest(chosen).metadata.name))
}
