import { comparison, readDittoServer, type DittoServer, type Reading } from '../dittoserver/dittoserver.ts'
import type { SchemaError } from '../dittoserver/schema-errors.ts'
import { acknowledgesNow } from './acknowledgement.ts'
import type { Facts } from './facts.ts'
import type { Finding } from './finding.ts'
import { defaultPolicy, type Policy } from './policy.ts'
import type { Complaint, Need, Operation, Rule, Subject } from './rule.ts'
import { rules } from './table.ts'
import { unverified } from './unverified.ts'

export interface Request {
  readonly operation: Operation
  /** The object as received: any JSON value. */
  readonly object: unknown
  readonly oldObject?: unknown
  readonly dryRun?: boolean
}

/** A prepared request: what must be looked up in the cluster before the request can be judged. It does not keep the received objects. */
export interface Prepared {
  readonly reading: Reading
  readonly old?: Reading
  /** Fields that differ from the old object, and their parents; see Comparison. Absent on CREATE. */
  readonly changed?: ReadonlySet<string>
  /** Schema errors that the old object has too, with exactly the same value. */
  readonly inherited: ReadonlySet<SchemaError>
  /** Why nothing is judged. */
  readonly exempt?: Exemption
  readonly dryRun: boolean
  readonly policy: Policy
  readonly active: readonly Rule[]
  /** All facts that the rules need, without duplicates. */
  readonly asked: readonly Need[]
  readonly needs: readonly Need[]
}

export type Exemption = 'deleting' | 'unchanged'

export interface Verdict {
  readonly allowed: boolean
  readonly errors: readonly Finding[]
  readonly warnings: readonly Finding[]
  readonly exempt?: Exemption
}

/** The first phase: reads the objects and determines the required facts. Pure. */
export function prepare (request: Request, policy: Policy = defaultPolicy, table: readonly Rule[] = rules): Prepared {
  const { operation, object, oldObject, dryRun = false } = request
  const reading = readDittoServer(object)
  if (operation === 'CREATE') {
    const active = activeOnCreate(table, policy)
    return { reading, inherited: new Set(), dryRun, policy, active, ...needsOf(active, { server: reading.server }) }
  }
  const old = readDittoServer(oldObject)
  const changed = comparison.changedPaths(object, oldObject)
  // Changes of metadata must not depend on the rest of the object, and an object that is being deleted must not be blocked.
  const exempt = reading.server.metadata.deletionTimestamp ? 'deleting' : changed.has('spec') ? undefined : 'unchanged'
  const active = exempt ? [] : table.filter(rule => isActive(rule, policy, operation, changed))
  const inherited = new Set(reading.errors.filter(({ restsOn }) => comparison.sameAt(object, oldObject, restsOn)))
  const needs = needsOf(active, { server: reading.server, old: old.server })
  return { reading, old, changed, inherited, dryRun, policy, active, ...needs, ...(exempt ? { exempt } : {}) }
}

/** The second phase: all findings, in the order of the rule table. Pure. */
export function judge (prepared: Prepared, facts: Facts): Verdict {
  const { reading: { server, errors }, old, exempt, active } = prepared
  if (exempt) return { allowed: true, errors: [], warnings: [], exempt }
  const subject: Subject = { server, facts, unverified: unverified(prepared.asked, facts), ...(old ? { old: old.server } : {}) }
  const claimed = errors.length > 0 ? claim(errors, active) : undefined
  const verdict = { errors: [] as Finding[], warnings: [] as Finding[] }
  const add = (finding: Finding) => (finding.severity === 'deny' ? verdict.errors : verdict.warnings).push(finding)
  for (const rule of active) {
    const own = claimed?.get(rule)
    if (own) for (const error of own) add(weigh(rule, describe(error), prepared, prepared.inherited.has(error)))
    const complaints = rule.judge(subject)
    // Nearly always: to begin an iteration over nothing costs as much as the rule.
    if (complaints.length === 0) continue
    for (const complaint of complaints) {
      if (!isMoot(complaint, rule, prepared)) add(weigh(rule, complaint, prepared, isInherited(complaint, prepared)))
    }
  }
  return { allowed: verdict.errors.length === 0, ...verdict }
}

/** Identical for every CREATE, so it is computed once per policy. */
const onCreate = new WeakMap<Policy, { table: readonly Rule[], active: readonly Rule[] }>()

function activeOnCreate (table: readonly Rule[], policy: Policy): readonly Rule[] {
  const known = onCreate.get(policy)
  if (known?.table === table) return known.active
  const active = table.filter(rule => isActive(rule, policy, 'CREATE'))
  onCreate.set(policy, { table, active })
  return active
}

function isActive (rule: Rule, policy: Policy, operation: Operation, changed?: ReadonlySet<string>): boolean {
  if (policy(rule) === 'off' || !(rule.operations ?? [operation]).includes(operation)) return false
  return !changed || !rule.when || rule.when.some(field => changed.has(field))
}

function needsOf (active: readonly Rule[], subject: { server: DittoServer, old?: DittoServer }): Pick<Prepared, 'asked' | 'needs'> {
  const asked: Need[] = []
  const needs: Need[] = []
  for (const rule of active) {
    if (!rule.needs) continue
    for (const need of rule.needs(subject)) {
      if (!isAmong(needs, need)) needs.push(need)
      if (!isAmong(asked, need, need.field)) asked.push(need)
    }
  }
  return { asked, needs }
}

/** Whether the same object is needed already, for the same field if one is given. There are only a few, so a search is enough. */
function isAmong (needs: readonly Need[], need: Need, field?: string): boolean {
  for (const known of needs) if (isSame(known, need) && (field === undefined || known.field === field)) return true
  return false
}

const isSame = (a: Need, b: Need) => a.kind === b.kind && ('name' in a ? a.name : '') === ('name' in b ? b.name : '')

/** Assigns each schema error to the first rule that claims it. */
const claim = (errors: readonly SchemaError[], active: readonly Rule[]): Map<Rule | undefined, SchemaError[]> =>
  Map.groupBy(errors, error => active.find(rule => rule.claims?.(error)))

const describe = ({ path, problem, allowed, found }: SchemaError): Complaint => ({ field: path, problem, found, detail: allowed })

const restsOn = ({ field, restsOn: fields = [field] }: Complaint) => fields

/** Whether the rule judged a stand-in instead of the user's value, or compared with a stand-in. */
function isMoot (complaint: Complaint, { operations }: Rule, { reading, old }: Prepared): boolean {
  const compares = operations?.length === 1 && operations[0] === 'UPDATE'
  const illegal = compares && old ? [...reading.errors, ...old.errors] : reading.errors
  return restsOn(complaint).some(field => illegal.some(({ path }) => path === field || field.startsWith(`${path}.`)))
}

const isInherited = (complaint: Complaint, { changed }: Prepared) =>
  changed !== undefined && !restsOn(complaint).some(field => changed.has(field))

/** An error that existed before an update does not block the update, as in the API server. */
function weigh (rule: Rule, complaint: Complaint, { reading: { server }, old, policy, dryRun }: Prepared, inherited: boolean): Finding {
  const finding: Finding = { ...complaint, rule: rule.id, severity: policy(rule) === 'warn' || complaint.uncertain ? 'warn' : 'deny' }
  if (finding.severity === 'warn') return finding
  if (rule.restsOnCluster && dryRun) return demote(finding, 'only a warning in a dry run')
  if (rule.acknowledgeable && acknowledgesNow(server, old?.server, rule.id)) {
    const { problem: _, found: __, ...rest } = finding
    return { ...rest, severity: 'warn', detail: complaint.acknowledged ?? `${complaint.detail} (acknowledged)` }
  }
  if (inherited) return demote(finding, 'existed before')
  return complaint.problem ? finding : { ...finding, problem: 'Forbidden' }
}

const demote = (finding: Finding, why: string): Finding => ({ ...finding, severity: 'warn', detail: `${finding.detail} (${why})` })
