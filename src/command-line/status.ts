import { setTimeout as delay } from 'node:timers/promises'
import { systemClock } from '../clock.ts'
import type { ApiClient } from '../cluster/api-client.ts'
import { abortable, withDeadline } from '../cluster/deadline.ts'
import { failureReason } from '../cluster/failure-reason.ts'
import { crdName } from '../dittoserver/api.ts'
import { defaultNamespace } from '../embedded/manifests.ts'
import { factsOf } from '../status/facts.ts'
import { linesOfAll, type Line } from '../status/lines.ts'
import { listOnce, watchListing, type Listing, type Scope } from '../status/listing.ts'
import { reportJson } from '../status/report-json.ts'
import { exitCodeOf, serverTree, worstFirst } from '../status/server-tree.ts'
import type { ServerTree } from '../status/tree.ts'
import { UsageError } from './fault.ts'
import { onInterrupt } from './interrupt.ts'
import { open, patience, type ClusterOptions } from './live.ts'
import { alternateScreen, frameOf, paint } from './paint.ts'
import type { Screen, Terminal } from './terminal.ts'

export interface StatusOptions extends ClusterOptions {
  readonly namespace?: string
  readonly allNamespaces?: true
  readonly watch?: true
  readonly output: 'text' | 'json'
}

/** Milliseconds between two frames, so that a burst of changes costs one frame. Ages are redrawn at least every `tick`. */
const pause = 100
const tick = 1000

/** Resolves with the exit code: 0 all servers are ready, 1 one is not, or something about it is wrong. @throws {UsageError} */
export async function status (name: string | undefined, options: StatusOptions, terminal: Terminal): Promise<number> {
  if (name !== undefined && options.allNamespaces) throw new UsageError('--all-namespaces cannot be used with the name of a server')
  const { client, namespace } = await open(options)
  const scope: Scope = { name, namespace: options.allNamespaces ? undefined : options.namespace ?? namespace ?? defaultNamespace }
  try {
    return await (options.watch ? watchStatus : statusOnce)(client, scope, options, terminal)
  } finally {
    client.close()
  }
}

async function statusOnce (client: ApiClient, scope: Scope, { output }: StatusOptions, terminal: Terminal): Promise<number> {
  const now = new Date()
  const trees = treesOf(await listOnce(client, scope, AbortSignal.timeout(patience)), scope, now)
  terminal.print(output === 'json' ? reportJson(trees) : textOf(trees, scope, now, terminal.screen))
  return exitCodeOf(trees)
}

/** @throws {UsageError} if the servers cannot be listed, or the one that is named does not exist */
function treesOf (listing: Listing, { namespace, name }: Scope, now: Date): ServerTree[] {
  const servers = listing.get('DittoServer')
  if (servers?.state === 'unknown') throw new UsageError(`the DittoServers cannot be listed: ${servers.reason}`)
  if (servers?.state === 'not-served') throw new UsageError(`the cluster has no CustomResourceDefinition ${crdName}`)
  const trees = worstFirst(factsOf(listing, now).map(serverTree))
  if (name !== undefined && trees.length === 0) throw new UsageError(`there is no DittoServer '${name}' in the namespace '${namespace ?? ''}'`)
  return trees
}

const linesFor = (trees: readonly ServerTree[], { namespace }: Scope, now: Date): Line[] =>
  linesOfAll(trees, now, namespace === undefined ? 'There are no DittoServers.' : `There are no DittoServers in the namespace '${namespace}'.`)

const noColours = { colours: false }
const textOf = (trees: readonly ServerTree[], scope: Scope, now: Date, screen: Screen | undefined) =>
  linesFor(trees, scope, now).map(line => `${paint(line, screen ?? noColours)}\n`).join('')

/** Shows every change until it is interrupted. On a terminal it redraws; otherwise it prints each new state. */
async function watchStatus (client: ApiClient, scope: Scope, { output }: StatusOptions, terminal: Terminal): Promise<number> {
  const { print, screen } = terminal
  const interrupt = onInterrupt()
  let wake = Promise.withResolvers<void>()
  const changed = () => { wake.resolve() }
  const watched = watchListing(client, scope, changed)
  const offResize = output === 'text' ? screen?.onResize(changed) : undefined
  const draws = output === 'text' && screen ? screen : undefined
  interrupt.signal.addEventListener('abort', changed, { once: true })
  let trees: ServerTree[] = []
  let before = ''
  try {
    await withDeadline(systemClock, patience, interrupt.signal, async signal => { await abortable(watched.start(), signal) })
      .catch((error: unknown) => { throw new UsageError(watched.stale() ?? failureReason(error, 'watch')) })
    treesOf(watched.listing(), scope, new Date()) // whatever is wrong from the start ends the command
    if (draws) print(alternateScreen.enter)
    while (!interrupt.signal.aborted) {
      wake = Promise.withResolvers<void>()
      const now = new Date()
      trees = worstFirst(factsOf(watched.listing(), now).map(serverTree))
      const stale = watched.stale()
      if (draws) print(frameOf([...linesFor(trees, scope, now), ...staleLine(stale)], draws, draws.columns(), draws.rows()))
      else {
        const text = output === 'json' ? reportJson(trees) : textOf(trees, scope, now, undefined)
        // An age is no news.
        const news = JSON.stringify(trees.map(({ age: _, ...tree }) => tree))
        if (news !== before) print(output === 'json' || before === '' ? text : `\n${text}`)
        before = news
      }
      await Promise.race([wake.promise, ...draws ? [delay(tick, undefined, { signal: interrupt.signal }).catch(() => {})] : []])
      await delay(pause, undefined, { signal: interrupt.signal }).catch(() => {})
    }
  } finally {
    if (draws) print(alternateScreen.leave)
    offResize?.()
    interrupt.off()
    await watched.stop()
  }
  if (draws) print(textOf(trees, scope, new Date(), draws))
  return exitCodeOf(trees)
}

const staleLine = (stale: string | undefined): Line[] => stale === undefined ? [] : [[['wrong', `Out of date: ${stale}`]]]
