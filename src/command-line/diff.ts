import { isMeantAsDittoServer } from '../check/kind.ts'
import { hasStatus } from '../cluster/api-error.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { differenceOf } from '../diff/difference.ts'
import { exitCodeOf, linesOf, reportJson, type Difference } from '../diff/report.ts'
import { kind } from '../dittoserver/api.ts'
import { EmbeddedCluster } from '../embedded/embedded-cluster.ts'
import { defaultNamespace, isManifest, isUnreadable } from '../embedded/manifests.ts'
import { OverlayCluster } from '../embedded/overlay-cluster.ts'
import type { ReadObject } from '../render/offline.ts'
import { parsePolicy } from '../rules/policy.ts'
import { UsageError } from './fault.ts'
import { readInputs } from './inputs.ts'
import { connect, storedIn, type ClusterOptions } from './live.ts'
import { paint } from './paint.ts'
import type { Terminal } from './terminal.ts'

export interface DiffOptions extends ClusterOptions {
  readonly filename: readonly string[]
  readonly namespace?: string
  readonly rule?: readonly string[]
  readonly output: 'text' | 'json'
}

/**
 * Resolves with the exit code: 0 nothing differs, 1 something does, 2 there is nothing to compare, 3 a server would be denied or not
 * carried out. @throws {UsageError}
 */
export async function diff (options: DiffOptions, terminal: Terminal): Promise<number> {
  const policy = parsePolicy(options.rule ?? [])
  const live = await connect(options)
  try {
    const input = await readInputs(options.filename, '--filename', options.namespace ?? live.namespace ?? defaultNamespace, terminal)
    const stream = input.filter(isManifest)
    const servers = input.filter(found => isUnreadable(found) || isMeantAsDittoServer(found))
    if (servers.length === 0) throw new UsageError(`nothing to compare: the input contains no ${kind}`)
    const { read, wasRefused } = readOnce(live.read)
    const overlay = new OverlayCluster(live.cluster, new EmbeddedCluster(() => stream))
    const cluster = { cluster: overlay, policy, stored: storedIn(live), warningsAsErrors: false, read }
    const differences: Difference[] = []
    for (const found of servers) differences.push(await differenceOf(found, cluster))
    show(differences, options, terminal)
    if (wasRefused()) terminal.say('you have no permission to read the Secrets: a restart because of their contents is not shown')
    return exitCodeOf(differences)
  } finally {
    await live.close()
  }
}

function show (differences: readonly Difference[], { output }: DiffOptions, { print, screen }: Terminal): void {
  if (output === 'json') print(reportJson(differences))
  // Another program gets the diff as it is: a tab of a manifest is no danger to it.
  else if (screen === undefined) print(differences.flatMap(linesOf).map(line => `${line.map(([, text]) => text).join('')}\n`).join(''))
  else print(differences.flatMap(linesOf).map(line => `${paint(line, screen)}\n`).join(''))
}

/** Reads each object once, so that both sides see the same state. Secrets that may not be read count as absent on both sides. */
function readOnce (read: ReadObject): { read: ReadObject, wasRefused: () => boolean } {
  const known = new Map<string, Promise<KubernetesObject | undefined>>()
  let refused = false
  return {
    wasRefused: () => refused,
    read: async (kind, namespace, name) => {
      const key = `${kind}/${namespace}/${name}`
      const found = known.get(key) ?? read(kind, namespace, name).catch((error: unknown) => {
        if (kind !== 'Secret' || !(error instanceof Error) || !hasStatus(error.cause, 403)) throw error
        refused = true
        return undefined
      })
      known.set(key, found)
      return await found
    },
  }
}
