import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { kind as dittoServer } from '../dittoserver/api.ts'
import { childNames, podName } from '../render/names.ts'
import { claimNames } from '../render/volumes.ts'
import { since } from '../status/age.ts'
import type { Line } from '../status/lines.ts'

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ */
export const eventResource = { group: 'events.k8s.io', version: 'v1', resource: 'events' }

interface Found extends KubernetesObject {
  readonly type?: string
  readonly reason?: string
  readonly note?: string
  readonly eventTime?: string | null
  readonly series?: { readonly count?: number, readonly lastObservedTime?: string }
  readonly regarding?: { readonly kind?: string, readonly name?: string }
  readonly deprecatedFirstTimestamp?: string | null
  readonly deprecatedLastTimestamp?: string | null
  readonly deprecatedCount?: number
  readonly reportingController?: string
  readonly deprecatedSource?: { readonly component?: string }
}

/** One event about a server, or about one of its objects. */
export interface ServerEvent {
  readonly uid: string
  readonly resourceVersion: string
  /** When it was last seen. */
  readonly time: string
  readonly first: string
  readonly count: number
  readonly type: string
  readonly object: { readonly kind: string, readonly name: string }
  readonly reason: string
  readonly message: string
  readonly source: string
}

/** Whether an object with this name belongs to a server, by the names that the operator gives. Deleted objects have events, too. Pure. */
export function isAbout (name: string): (regarding: { readonly kind?: string, readonly name?: string }) => boolean {
  const { statefulSet, configMap, perconaCluster, jwtSecret, postgresEnvSecret, ...services } = childNames(name)
  const known = new Set([
    `${dittoServer} ${name}`, `StatefulSet ${statefulSet}`, `Pod ${podName(name)}`, `ConfigMap ${configMap}`, `PerconaPGCluster ${perconaCluster}`,
    ...[jwtSecret, postgresEnvSecret].map(secret => `Secret ${secret}`),
    ...claimNames(name).map(claim => `PersistentVolumeClaim ${claim}`),
    ...Object.values(services).map(service => `Service ${service}`),
  ])
  return ({ kind = '', name: of = '' }) => known.has(`${kind} ${of}`)
}

/** The events about a server and its objects, oldest first. Pure. */
export function eventsOf (objects: readonly KubernetesObject[], name: string): ServerEvent[] {
  const about = isAbout(name)
  return (objects as readonly Found[]).filter(({ regarding = {} }) => about(regarding)).map(read)
    .toSorted((a, b) => secondOf(a) - secondOf(b) || Number(a.resourceVersion) - Number(b.resourceVersion))
}

/** Many events have a time in whole seconds. Within a second, the order in which they were written is better. */
const secondOf = ({ time }: ServerEvent) => Math.floor(Date.parse(time) / 1000)

/** Most components of Kubernetes still write events of the core group: of those, the fields `deprecated…` are set. */
function timesOf (event: Found): Pick<ServerEvent, 'time' | 'first' | 'count'> {
  const { metadata, eventTime, series, deprecatedFirstTimestamp, deprecatedLastTimestamp, deprecatedCount = 1 } = event
  const first = eventTime ?? deprecatedFirstTimestamp ?? metadata.creationTimestamp ?? ''
  return { first, time: series?.lastObservedTime ?? deprecatedLastTimestamp ?? first, count: series?.count ?? deprecatedCount }
}

function read (event: Found): ServerEvent {
  const { metadata: { uid = '', resourceVersion = '' }, type = '', reason = '', note = '', regarding = {}, reportingController } = event
  return {
    uid,
    resourceVersion,
    ...timesOf(event),
    type,
    object: { kind: regarding.kind ?? '', name: regarding.name ?? '' },
    reason,
    message: note,
    source: reportingController || event.deprecatedSource?.component || '',
  }
}

/** One line for an event. `age`: relative to now, or the time itself for a stream. Pure. */
export function lineOf ({ time, count, type, object, reason, message }: ServerEvent, now: Date | undefined): Line {
  const when = now ? since(time, now).padEnd(6) : time.replace(/\.\d+Z$/, 'Z')
  return [
    ['faint', `${when}  `],
    [type === 'Warning' ? 'wrong' : 'ok', type.padEnd(8)],
    ['plain', `${`${object.kind} ${object.name}`.padEnd(36)}  `],
    ['strong', `${reason.padEnd(22)}  `],
    ['plain', message.replaceAll('\n', ' ')],
    ['faint', count > 1 ? ` (${count} times)` : ''],
  ]
}
