import type { HistoryRequest, HistoryStep } from './histories.ts'
import { ModelApiServer } from './model/api-server.ts'
import { handle } from './model/http.ts'
import { at, isTree, type Tree } from './model/tree.ts'

/** One of the two that are compared: the model, or the real API server. */
export type Side = (request: HistoryRequest) => Promise<{ readonly status: number, readonly body: Tree }>

export interface Played {
  readonly says: string
  readonly status: number
  readonly answer: unknown
  /** The objects afterwards. */
  readonly after: unknown
}

/** The value of these differs from one API server to the next, though not whether they are there. */
const own = /^(uid|creationTimestamp|deletionTimestamp|resourceVersion|time|nodePort|clusterIP|clusterIPs)$/

const byText = (a: unknown, b: unknown) => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1

/** Without everything that differs between API servers: uids, times, versions, addresses, the text of messages. */
export function comparable (value: unknown, key = ''): unknown {
  if (key === 'managedFields' && Array.isArray(value)) return value.map(entry => comparable(entry)).sort(byText)
  if (Array.isArray(value)) return value.map(entry => comparable(entry, key))
  if (!isTree(value)) return own.test(key) && value !== 'None' ? typeof value : value
  if (value.kind === 'Status') return comparableStatus(value)
  const entries = Object.entries(value).filter(([, entry]) => entry !== null).sort(([a], [b]) => a < b ? -1 : 1)
  return Object.fromEntries(entries.map(([name, entry]) => [name, comparable(entry, name)]))
}

function comparableStatus (value: Tree): Tree {
  const causes = at(value, 'details', 'causes')
  return {
    status: value.status,
    reason: value.reason,
    // Some are said twice, once by each of two validations.
    causes: Array.isArray(causes) ? [...new Set(causes.map(cause => `${String(at(cause, 'reason'))} ${String(at(cause, 'field'))}`))].sort() : [],
  }
}

export const labelSelector = 'app.kubernetes.io/managed-by=dittofs-operator'

/** The events of a watch that must be equal on both sides: the objects, the order, and whether versions increased. */
export const told = (events: readonly Tree[]) => events.filter(({ type }) => type !== 'BOOKMARK').map(({ type, object }, index) => ({
  type: String(type), name: at(object, 'metadata', 'name'), object: comparable(object), later: index === 0 || versionOf(object) > versionOf(events[index - 1]?.object),
}))

const versionOf = (object: unknown) => Number(at(object, 'metadata', 'resourceVersion'))

/** Runs one history on one side. Each step uses the state of that side. */
export async function play (steps: readonly HistoryStep[], side: Side): Promise<Played[]> {
  const played: Played[] = []
  let before: Tree | undefined
  for (const { says, path, request } of steps) {
    const { status, body } = await side(request(before))
    const after = await side({ method: 'GET', path })
    before = after.status === 200 ? after.body : undefined
    played.push({ says, status, answer: comparable(body), after: comparable(after.body) })
  }
  return played
}

export function modelSide (api = new ModelApiServer(() => new Date(1_700_000_000_000))): Side {
  return async ({ method, path, query = {}, body, contentType = '' }) => {
    const url = new URL(path, 'http://model')
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value)
    const answer = handle(api, { method, url, accept: 'application/json', contentType, userAgent: '', body: body === undefined ? undefined : JSON.stringify(body) })
    return { status: answer.status, body: JSON.parse(answer.body) as Tree }
  }
}
