import { gather } from '../admission/gather.ts'
import { mutate } from '../admission/mutate.ts'
import { respond } from '../admission/respond.ts'
import { parseReview } from '../admission/review.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { apiVersion, kind } from '../dittoserver/api.ts'
import { isObject } from '../dittoserver/structural.ts'
import { EmbeddedCluster, metadataOf, nameOf } from '../embedded/embedded-cluster.ts'
import type { Manifest } from '../embedded/manifests.ts'
import { sentence, type Finding } from '../rules/finding.ts'
import { judge, prepare, type Verdict } from '../rules/judge.ts'
import { parsePolicy, type Policy } from '../rules/policy.ts'
import { rules } from '../rules/table.ts'
import { kubectlView, reviewForCreate } from './kubectl-view.ts'
import { connect } from './live.ts'
import { isDittoServer, readAll } from './manifest-files.ts'

export interface CheckOptions {
  readonly filename: readonly string[]
  readonly state?: string
  readonly kubeconfig?: string
  readonly context?: string
  readonly namespace: string
  readonly output: 'text' | 'json'
  readonly warningsAsErrors?: true
  readonly rule?: readonly string[]
}

interface Surroundings {
  readonly cluster: Cluster
  /** The object as it is now, where it is known. */
  readonly existing: (namespace: string, name: string, source: string) => Promise<unknown>
  /** The rules that ask the cluster cannot be judged. */
  readonly blind: boolean
  readonly close: () => Promise<void>
}

interface Checked {
  readonly manifest: Manifest
  readonly namespace: string
  readonly name: string
  readonly verdict: Verdict
  readonly lines: string[]
}

const lookupBudget = 10_000

/** Resolves with the exit code: 0 allowed, 1 denied. @throws {UsageError} for a file that cannot be read */
export async function check (options: CheckOptions): Promise<number> {
  const manifests = await readAll(options.filename, '--filename')
  const servers = manifests.filter(isDittoServer)
  const surroundings = await surroundingsOf(options, manifests)
  const policy = policyOf(options, surroundings.blind)
  const results: Checked[] = []
  try {
    for (const manifest of servers) results.push(await checkOne(manifest, options.namespace, policy, surroundings))
  } finally {
    await surroundings.close()
  }
  report(results, options, surroundings.blind)
  const bad = results.some(({ verdict }) => !verdict.allowed || (options.warningsAsErrors && verdict.warnings.length > 0))
  return bad ? 1 : 0
}

function policyOf ({ rule: overrides = [] }: CheckOptions, blind: boolean): Policy {
  const policy = parsePolicy(overrides)
  return rule => blind && rule.needs ? 'off' : policy(rule)
}

/** What is applied together with a DittoServer is part of its cluster too, except where a live one can be asked. */
async function surroundingsOf (options: CheckOptions, stream: readonly Manifest[]): Promise<Surroundings> {
  const { kubeconfig, context, state } = options
  if (kubeconfig) {
    const live = await connect({ kubeconfig, ...(context ? { context } : {}) })
    return { ...live, blind: false }
  }
  const others = state ? await readAll([state], '--state') : []
  const known = [...stream, ...others]
  return {
    cluster: new EmbeddedCluster(() => known),
    // A folder may be given both as what is to be checked and as the state around it.
    existing: async (namespace, name, source) => others.find(other => other.kind === kind && other.source !== source &&
      nameOf(other) === name && (metadataOf(other.object).namespace || options.namespace) === namespace)?.object,
    blind: !state,
    close: async () => {},
  }
}

async function checkOne (manifest: Manifest, defaultNamespace: string, policy: Policy, surroundings: Surroundings): Promise<Checked> {
  const { name, namespace: given } = metadataOf(manifest.object)
  const namespace = given || defaultNamespace
  const object = structuredClone(manifest.object) as Record<string, unknown>
  if (mutate(object).length > 0 && isObject(object.spec) && isObject(object.spec.storage)) {
    for (const { value } of mutate(object)) object.spec.storage.cacheSize = value
  }
  const oldObject = await surroundings.existing(namespace, name, manifest.source)
  const prepared = prepare({ operation: oldObject ? 'UPDATE' : 'CREATE', object, oldObject }, policy)
  const verdict = withVersion(manifest, judge(prepared, await gather(prepared.needs, surroundings.cluster, namespace, lookupBudget)))
  const request = parseReview(reviewForCreate(object, name, namespace, 'check'))
  return { manifest, namespace, name, verdict, lines: kubectlView(name, respond(request, verdict)) }
}

/** The API server would not even know the kind. */
function withVersion ({ apiVersion: given }: Manifest, verdict: Verdict): Verdict {
  if (given === apiVersion) return verdict
  const finding: Finding = {
    rule: 'SCHEMA', severity: 'deny', field: 'apiVersion', problem: 'Unsupported value', found: given, detail: `must be '${apiVersion}'`,
  }
  return { ...verdict, allowed: false, errors: [finding, ...verdict.errors] }
}

function report (results: readonly Checked[], { output }: CheckOptions, blind: boolean): void {
  const skipped = blind ? rules.filter(rule => rule.needs).map(({ id }) => id) : []
  if (output === 'json') {
    const entry = (finding: Finding) => ({ ...finding, message: sentence(finding) })
    process.stdout.write(`${JSON.stringify({
      allowed: results.every(({ verdict }) => verdict.allowed),
      skippedRules: skipped,
      items: results.map(({ manifest, namespace, name, verdict }) => ({
        source: manifest.source,
        namespace,
        name,
        allowed: verdict.allowed,
        errors: verdict.errors.map(entry),
        warnings: verdict.warnings.map(entry),
      })),
    }, null, 2)}\n`)
    return
  }
  for (const { manifest, lines } of results) process.stdout.write(`# ${manifest.source}\n${lines.join('\n')}\n`)
  if (results.length === 0) process.stderr.write(`no ${kind} among the objects\n`)
  else if (blind) process.stderr.write(`not checked without --state or --kubeconfig: ${skipped.join(', ')}\n`)
}
