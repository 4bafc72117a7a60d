import { reportText } from '../check/report-text.ts'
import type { Result } from '../check/result.ts'
import type { Line, Style } from '../status/lines.ts'
import type { Outcome } from './outcome.ts'

/** What one manifest would change. */
export interface Difference {
  /** The verdict of admission. */
  readonly result: Result
  /** The server does not exist yet. */
  readonly isNew: boolean
  /** Why the operator would not carry the spec out, although it is stored. */
  readonly refused?: string
  /** Undefined: nothing is rendered, because the spec is denied or refused. */
  readonly outcome?: Outcome
  /** Unified diffs, by object. Only of objects that differ. */
  readonly objects: readonly { readonly object: string, readonly diff: string }[]
  /** What limits this report. */
  readonly notes: readonly string[]
}

const list = (texts: readonly string[], most = 4) =>
  `${texts.slice(0, most).join(', ')}${texts.length > most ? `, and ${texts.length - most} more` : ''}`

/** The sentences about an outcome: what matters to users of the server comes first. Pure. */
export function sentencesOf ({ pod, causes, statefulSet, replacedFor, grows, kept }: Outcome): string[] {
  const pods = {
    unchanged: ['The server keeps running.'],
    starts: ['The server starts.'],
    restarts: [`The server restarts, because its pod differs in ${list(causes)}.`],
    stops: ['The server stops.'],
  }[pod]
  return [
    ...pod === 'unchanged' && statefulSet === 'unchanged' && grows.length === 0 ? [] : pods,
    ...grows.map(({ claim, from, to }) => `The volume ${claim} grows from ${from} to ${to}.`),
    ...statefulSet === 'replaced' ? [`The StatefulSet is replaced, and its volumes are kept: ${list(replacedFor)}.`] : [],
    ...kept.map(each => `Existing volumes cannot follow: ${each}.`),
  ]
}

/** The report for a person: the verdict, what happens, and the diffs. Pure. */
export function linesOf (difference: Difference): Line[] {
  const { result, isNew, refused, outcome, objects, notes } = difference
  const verdict = reportText({ results: [result], warningsAsErrors: false, skippedRules: [] }).trimEnd().split('\n')
  const said = [
    ...isNew ? ['The server is new.'] : [],
    ...refused === undefined ? [] : [`The operator would not carry it out: ${refused}`],
    ...outcome ? sentencesOf(outcome) : [],
    ...objects.length === 0 && result.allowed ? ['Nothing changes.'] : [],
    ...notes,
  ]
  return [
    ...verdict.map((text, index): Line => [[index === 0 ? 'strong' : result.allowed ? 'plain' : 'wrong', text]]),
    ...said.map((text): Line => [[refused === undefined ? 'progress' : 'wrong', `# ${text}`]]),
    ...objects.flatMap(({ diff }) => diff.trimEnd().split('\n').map((text): Line => [[styleOf(text), text]])),
  ]
}

function styleOf (line: string): Style {
  if (/^(---|\+\+\+) /.test(line)) return 'strong'
  if (line.startsWith('@@')) return 'unknown'
  return line.startsWith('+') ? 'ok' : line.startsWith('-') ? 'wrong' : 'plain'
}

/** For programs. Pure. */
export const reportJson = (differences: readonly Difference[]): string => `${JSON.stringify({
  changed: differences.some(({ objects }) => objects.length > 0),
  servers: differences.map(({ result: { namespace, name, source, allowed, errors, warnings }, ...rest }) => ({
    namespace, name, source, allowed, errors: messagesOf(errors), warnings: messagesOf(warnings), ...rest,
  })),
}, undefined, 2)}\n`

const messagesOf = (remarks: Result['errors']) => remarks.map(({ message }) => message)

/** As `kubectl diff`: 0 nothing differs, 1 something does, above 1 an error; here 3, a server would be denied or not carried out. */
export function exitCodeOf (differences: readonly Difference[]): number {
  if (differences.some(({ result, refused }) => !result.allowed || refused !== undefined)) return 3
  return differences.some(({ objects }) => objects.length > 0) ? 1 : 0
}
