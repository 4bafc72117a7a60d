import { isDeepStrictEqual } from 'node:util'
import { acknowledgeAnnotation } from '../dittoserver/api.ts'
import { readDittoServer, toStored, type DittoServer, type Reading } from '../dittoserver/dittoserver.ts'
import { isObject } from '../dittoserver/structural.ts'
import type { SchemaError } from '../dittoserver/validate.ts'
import { sentence, type Finding } from './finding.ts'
import { defaultPolicy, type Policy } from './policy.ts'
import type { Complaint, Facts, Need, Operation, Rule, Subject } from './rule.ts'
import { rules } from './table.ts'

export interface Request {
  readonly operation: Operation
  /** The object as it came: any JSON value. */
  readonly object: unknown
  readonly oldObject?: unknown
  readonly dryRun?: boolean
}

/** A request made ready: what must be known of the cluster before it can be judged. */
export interface Case {
  readonly request: Request
  readonly reading: Reading
  readonly old?: Reading
  /** Why there is nothing to judge. */
  readonly exempt?: 'deleting' | 'unchanged'
  readonly active: readonly Rule[]
  readonly needs: readonly Need[]
  readonly policy: Policy
}

export interface Verdict {
  readonly allowed: boolean
  readonly errors: readonly Finding[]
  readonly warnings: readonly Finding[]
  readonly exempt?: 'deleting' | 'unchanged'
}

/** The first half of judging: reads the objects and says which facts are needed. Pure. */
export function prepare (request: Request, policy: Policy = defaultPolicy, table: readonly Rule[] = rules): Case {
  const { operation, object, oldObject } = request
  const reading = readDittoServer(object)
  const base = { request, reading, policy }
  if (operation === 'UPDATE') {
    const old = readDittoServer(oldObject)
    const exempt = reading.server.metadata.deletionTimestamp ? 'deleting' : sameSpec(object, oldObject) ? 'unchanged' : undefined
    const active = exempt ? [] : table.filter(rule => isActive(rule, policy, operation, [reading.server, old.server]))
    return { ...base, old, active, needs: needsOf(active, { server: reading.server, old: old.server }), ...(exempt ? { exempt } : {}) }
  }
  const active = activeOnCreate(table, policy)
  return { ...base, active, needs: needsOf(active, { server: reading.server }) }
}

/** The second half: every finding, in the order of the rule table. Pure. */
export function judge (prepared: Case, facts: Facts): Verdict {
  const { reading: { server, errors }, old, exempt, active } = prepared
  if (exempt) return { allowed: true, errors: [], warnings: [], exempt }
  const subject: Subject = { server, facts, ...(old ? { old: old.server } : {}) }
  const claimed = errors.length > 0 ? claim(errors, active) : undefined
  const verdict = { errors: [] as Finding[], warnings: [] as Finding[] }
  const add = (finding: Finding) => (finding.severity === 'deny' ? verdict.errors : verdict.warnings).push(finding)
  for (const rule of active) {
    if (claimed) for (const error of claimed.get(rule) ?? []) add(weigh(rule, describe(error), prepared))
    for (const complaint of rule.judge(subject)) {
      if (!errors.some(({ path }) => overlap(path, complaint.field))) add(weigh(rule, complaint, prepared))
    }
  }
  return { allowed: verdict.errors.length === 0, ...verdict }
}

/** Edits of metadata must not depend on the rest. Compared as the API server stores it, so that a default is no change. */
function sameSpec (object: unknown, oldObject: unknown): boolean {
  const spec = (value: unknown) => {
    const structural = toStored(value)
    return isObject(structural) ? structural.spec : undefined
  }
  return isDeepStrictEqual(spec(object), spec(oldObject))
}

/** The same for every CREATE, so it is worked out once for a policy. */
const onCreate = new WeakMap<Policy, { table: readonly Rule[], active: readonly Rule[] }>()

function activeOnCreate (table: readonly Rule[], policy: Policy): readonly Rule[] {
  const known = onCreate.get(policy)
  if (known?.table === table) return known.active
  const active = table.filter(rule => isActive(rule, policy, 'CREATE'))
  onCreate.set(policy, { table, active })
  return active
}

function isActive (rule: Rule, policy: Policy, operation: Operation, versions?: readonly [DittoServer, DittoServer]): boolean {
  if (policy(rule) === 'off' || !(rule.operations ?? [operation]).includes(operation)) return false
  if (!versions || !rule.when) return true
  const [server, old] = versions
  return !isDeepStrictEqual(rule.when(server.spec), rule.when(old.spec))
}

function needsOf (active: readonly Rule[], subject: Omit<Subject, 'facts'>): Need[] {
  const needs: Need[] = []
  for (const rule of active) {
    if (!rule.needs) continue
    for (const need of rule.needs(subject)) if (!needs.some(known => sameNeed(known, need))) needs.push(need)
  }
  return needs
}

const sameNeed = (a: Need, b: Need) => a.kind === b.kind && ('name' in a ? a.name : '') === ('name' in b ? b.name : '')

/** Gives each error of the schema to the first rule that claims it. */
const claim = (errors: readonly SchemaError[], active: readonly Rule[]): Map<Rule | undefined, SchemaError[]> =>
  Map.groupBy(errors, error => active.find(rule => rule.claims?.(error)))

const describe = ({ path, problem, allowed, found }: SchemaError): Complaint => ({ field: path, problem, found, detail: allowed })

/** A rule that speaks of a field the schema already refused would judge the stand-in, not what the user wrote. */
const overlap = (path: string, field: string) =>
  path === field || field.startsWith(`${path}.`) || field.startsWith(`${path}[`) || path.startsWith(`${field}.`)

function weigh (rule: Rule, complaint: Complaint, prepared: Case): Finding {
  const { request, reading, policy, old } = prepared
  const finding: Finding = { ...complaint, rule: rule.id, severity: policy(rule) === 'warn' ? 'warn' : 'deny' }
  if (finding.severity === 'warn') return finding
  if (rule.restsOnAbsence && request.dryRun) return demote(finding, 'in a dry run only a warning')
  if (rule.acknowledgeable && acknowledges(reading.server, rule)) return demote(finding, 'acknowledged')
  if (old && wasThere(rule, finding, old)) return demote(finding, 'as before this change')
  return complaint.problem ? finding : { ...finding, problem: 'Forbidden' }
}

const demote = (finding: Finding, why: string): Finding => ({ ...finding, severity: 'warn', detail: `${finding.detail} (${why})` })

const acknowledges = ({ metadata: { annotations } }: DittoServer, { id }: Rule) =>
  (annotations[acknowledgeAnnotation] ?? '').split(',').some(part => part.trim() === id)

const noFacts: Facts = {
  storageClass: () => ({ state: 'unknown', reason: '' }),
  storageClasses: () => ({ state: 'unknown', reason: '' }),
  secret: () => ({ state: 'unknown', reason: '' }),
  perconaServed: () => ({ state: 'unknown', reason: '' }),
}

/** What the old object already had wrong is no reason to refuse a change elsewhere. The API server ratchets in the same way. */
function wasThere (rule: Rule, finding: Finding, old: Reading): boolean {
  const before = [
    ...old.errors.filter(error => rule.claims?.(error)).map(describe),
    ...(rule.needs ? [] : rule.judge({ server: old.server, facts: noFacts })),
  ]
  return before.some(complaint => sentence({ ...finding, ...complaint }) === sentence(finding))
}
