import { resolve } from 'node:path'
import { judgeManifest, type Surroundings } from '../check/judge-manifest.ts'
import { isDittoServer, isMeantAsDittoServer } from '../check/kind.ts'
import { reportJson } from '../check/report-json.ts'
import { reportJUnit } from '../check/report-junit.ts'
import { reportSarif } from '../check/report-sarif.ts'
import { reportText } from '../check/report-text.ts'
import type { Stored } from '../check/apply.ts'
import { exitCodeOf, type Report, type Result } from '../check/result.ts'
import { storedServers } from '../check/stored-servers.ts'
import { kind } from '../dittoserver/api.ts'
import { EmbeddedCluster } from '../embedded/embedded-cluster.ts'
import { defaultNamespace, isManifest, isUnreadable, type Manifest, type Unreadable } from '../embedded/manifests.ts'
import { OverlayCluster } from '../embedded/overlay-cluster.ts'
import { parsePolicy, type Policy } from '../rules/policy.ts'
import { rules } from '../rules/table.ts'
import { UsageError } from './fault.ts'
import { readInputs } from './inputs.ts'
import { chosenCluster, connect, storedIn } from './live.ts'
import type { Terminal } from './terminal.ts'

const outputs = { text: reportText, json: reportJson, sarif: reportSarif, junit: reportJUnit } as const

export interface CheckOptions {
  readonly filename: readonly string[]
  readonly state?: readonly string[]
  readonly previous?: readonly string[]
  readonly kubeconfig?: string
  readonly context?: string
  readonly namespace?: string
  readonly output: keyof typeof outputs
  readonly warningsAsErrors?: true
  readonly rule?: readonly string[]
}

/** Resolves with the exit code: 0 allowed, 1 denied, 2 nothing judged. @throws {UsageError} if an input cannot be read */
export async function check (options: CheckOptions, terminal: Terminal): Promise<number> {
  const live = await liveCluster(options)
  try {
    const namespace = options.namespace ?? live?.namespace ?? defaultNamespace
    const read = async (paths: readonly string[], setting: string) => await readInputs(paths, setting, namespace, terminal)
    const input = await read(options.filename, '--filename')
    const state = await read(options.state ?? [], '--state')
    const previous = await read(options.previous ?? [], '--previous')
    const stream = input.filter(isManifest)
    const known = [...state.filter(isManifest), ...stream]
    const embedded = new EmbeddedCluster(() => known)
    const blind = !live && !options.state
    const results = await judgeAll([...input, ...elsewhere([...state, ...previous], input)], {
      cluster: live ? new OverlayCluster(live.cluster, new EmbeddedCluster(() => stream)) : embedded,
      policy: policyOf(options, blind),
      stored: live ? live.stored : storedOffline(state.filter(isManifest), previous.filter(isManifest)),
      warningsAsErrors: options.warningsAsErrors ?? false,
    })
    return show({
      results,
      warningsAsErrors: options.warningsAsErrors ?? false,
      skippedRules: blind ? rules.filter(rule => rule.needs).map(({ id }) => id) : [],
    }, options, terminal)
  } finally {
    await live?.close()
  }
}

async function liveCluster (options: CheckOptions) {
  const chosen = chosenCluster(options)
  if (!chosen) return undefined
  const live = await connect(chosen)
  return { ...live, stored: storedIn(live) }
}

function storedOffline (state: readonly Manifest[], previous: readonly Manifest[]): (manifest: Manifest) => Promise<Stored | undefined> {
  const find = storedServers(state.filter(isDittoServer), previous.filter(isDittoServer))
  return async manifest => {
    try {
      return find(manifest)
    } catch (error) {
      throw new UsageError((error as Error).message)
    }
  }
}

/** An unreadable document in the state is also an error, because the verdicts may depend on it. The same file may be input and state. */
const elsewhere = (state: readonly (Manifest | Unreadable)[], input: readonly (Manifest | Unreadable)[]) => state.filter(isUnreadable)
  .filter(({ file, line }) => !input.some(found => isUnreadable(found) && resolve(found.file) === resolve(file) && found.line === line))

async function judgeAll (input: readonly (Manifest | Unreadable)[], surroundings: Surroundings): Promise<Result[]> {
  const results: Result[] = []
  for (const found of input) {
    if (isUnreadable(found) || isMeantAsDittoServer(found)) results.push(await judgeManifest(found, surroundings))
  }
  return results
}

function policyOf ({ rule: overrides = [] }: CheckOptions, blind: boolean): Policy {
  const policy = parsePolicy(overrides)
  return rule => blind && rule.needs ? 'off' : policy(rule)
}

function show (report: Report, { output }: CheckOptions, { print, say }: Terminal): number {
  print(outputs[output](report))
  if (report.results.length === 0) say(`nothing was judged: the input contains no ${kind}`)
  else if (report.skippedRules.length > 0) say('not checked without --state or --kubeconfig: StorageClasses, Secrets and the Percona operator')
  return exitCodeOf(report)
}
