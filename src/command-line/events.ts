import { setTimeout as delay } from 'node:timers/promises'
import { pino } from 'pino'
import { systemClock } from '../clock.ts'
import type { ApiClient } from '../cluster/api-client.ts'
import { ApiServerOutage } from '../cluster/api-server-outage.ts'
import { listAll } from '../cluster/collection.ts'
import { abortable, withDeadline } from '../cluster/deadline.ts'
import { failureReason } from '../cluster/failure-reason.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { resourcePath } from '../cluster/resource-path.ts'
import { WatchCache } from '../cluster/watch-cache.ts'
import { defaultNamespace } from '../embedded/manifests.ts'
import { eventResource, eventsOf, lineOf, type ServerEvent } from '../server-events/events.ts'
import { UsageError } from './fault.ts'
import { onInterrupt } from './interrupt.ts'
import { open, patience, type ClusterOptions } from './live.ts'
import { paint } from './paint.ts'
import type { Terminal } from './terminal.ts'

export interface EventsOptions extends ClusterOptions {
  readonly namespace?: string
  readonly watch?: true
  readonly output: 'text' | 'json'
}

interface Request { readonly client: ApiClient, readonly name: string, readonly path: string }

/** Milliseconds in which events are collected before they are printed in order. */
const pause = 200

/** Prints the events of a server and of its objects, oldest first. Resolves with the exit code. @throws {UsageError} */
export async function events (name: string, options: EventsOptions, terminal: Terminal): Promise<number> {
  const { client, namespace: ofContext } = await open(options)
  const namespace = options.namespace ?? ofContext ?? defaultNamespace
  const request = { client, name, path: resourcePath(eventResource, { namespace }) }
  try {
    if (options.watch) await watchEvents(request, options, terminal)
    else {
      const found = await listed(request)
      if (options.output === 'json') terminal.print(`${JSON.stringify(found, undefined, 2)}\n`)
      else if (found.length === 0) terminal.say(`there are no events about DittoServer ${namespace}/${name}; the cluster keeps them for an hour by default`)
      else terminal.print(textOf(found, terminal, new Date()))
    }
    return 0
  } finally {
    client.close()
  }
}

async function listed ({ client, name, path }: Request): Promise<ServerEvent[]> {
  const found: KubernetesObject[] = []
  await listAll(client, { path }, AbortSignal.timeout(patience), event => { found.push(event) })
    .catch((error: unknown) => { throw new UsageError(failureReason(error, 'list events')) })
  return eventsOf(found, name)
}

const textOf = (found: readonly ServerEvent[], { screen }: Pick<Terminal, 'screen'>, now?: Date) =>
  found.map(event => `${paint(lineOf(event, now), screen ?? { colours: false })}\n`).join('')

/** Prints the existing events, then each new one, and each that occurs again. */
async function watchEvents ({ client, name, path }: Request, { output }: EventsOptions, terminal: Terminal): Promise<void> {
  const interrupt = onInterrupt()
  let wake = Promise.withResolvers<void>()
  const log = pino({ level: 'silent' })
  const cache = new WatchCache<KubernetesObject>({ client, log, outage: new ApiServerOutage(log), path, transform: object => object })
  cache.onChange(() => { wake.resolve() })
  interrupt.signal.addEventListener('abort', () => { wake.resolve() }, { once: true })
  const printed = new Map<string, string>()
  try {
    const state = await withDeadline(systemClock, patience, interrupt.signal, async signal => await abortable(cache.start(), signal))
      .catch((error: unknown) => { throw new UsageError(cache.stale() ?? failureReason(error, 'watch events')) })
    if (state === 'forbidden') throw new UsageError('forbidden: no permission to list and watch events')
    while (!interrupt.signal.aborted) {
      wake = Promise.withResolvers<void>()
      const news = eventsOf(cache.list(), name).filter(({ uid, resourceVersion }) => printed.get(uid) !== resourceVersion)
      for (const { uid, resourceVersion } of news) printed.set(uid, resourceVersion)
      terminal.print(output === 'json' ? news.map(event => `${JSON.stringify(event)}\n`).join('') : textOf(news, terminal))
      await wake.promise
      await delay(pause, undefined, { signal: interrupt.signal }).catch(() => {})
    }
  } finally {
    interrupt.off()
    await cache.stop()
  }
}
