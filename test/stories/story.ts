import { nfsClientOrSkip, smbClientOrSkip } from '../counterparts/file-clients.ts'
import { counterpartsOrSkip } from '../counterparts/counterparts.ts'
import { asServiceAccount, type Reachable } from '../e2e/installation.ts'
import { kubectlUser } from '../e2e/kubectl-user.ts'
import { startOperator } from '../e2e/operator.ts'
import { startKindCluster } from './kind.ts'
import { startNodeCluster } from './node-cluster.ts'
import type { Test } from 'tap'
import type { NodeOptions } from '../node/node.ts'

/** Where a story takes place. */
export interface StoryCluster {
  readonly plane: Reachable
  /** A port of this machine that leads to a port of a pod, as long as the pod lives. */
  readonly reach: (pod: string, port: number) => Promise<number>
  /** The environment of the process that a pod's only container runs. */
  readonly environmentOf: (pod: string) => Promise<Readonly<Record<string, string>>>
  /** How many processes have been started in containers of pods of this name, so far. */
  readonly starts: (pod: string) => Promise<number>
  /** Unexpected errors in the test instruments. */
  readonly faults: readonly unknown[]
}

export interface StoryOptions extends Pick<NodeOptions, 'beforeResize'> {
  /** A proxy between the operator and the API server: returns the kubeconfig that uses it. */
  readonly through?: (plane: Reachable, kubeconfig: string) => Promise<string>
}

/** The longest that a server may need to start, or to be replaced, on a busy machine. Milliseconds. */
export const patience = 240_000

const testTimeout = 1_200_000

/**
 * A cluster in which everything is real but the container runtime: API server, controllers, scheduler, DittoFS, and the operator with
 * the rights of its ServiceAccount. With KIND_KUBECONFIG, a kind cluster, where that is real too. Undefined where programs are
 * missing: the test is skipped then.
 */
export async function startStory (t: Test, options: StoryOptions = {}) {
  const built = await counterpartsOrSkip(t, ['dfs', 'dfsctl'])
  const nfsCp = built && await nfsClientOrSkip(t)
  const smbclient = nfsCp && await smbClientOrSkip(t)
  if (!smbclient) return undefined
  const programs = { ...built, nfsCp, smbclient }
  t.setTimeout(testTimeout)
  const kubeconfig = process.env.KIND_KUBECONFIG
  const cluster = kubeconfig ? await startKindCluster(t, kubeconfig) : await startNodeCluster(t, built.dfs, options)
  if (!cluster) return undefined
  const direct = await asServiceAccount(cluster.plane)
  const kubeconfigAt = direct.indexOf('--kubeconfig') + 1
  const through = await options.through?.(cluster.plane, direct[kubeconfigAt] ?? '')
  const flags = [...through === undefined ? direct : direct.with(kubeconfigAt, through), '--no-webhook']
  /** Another process of it, with more flags. */
  const start = async (more: readonly string[] = []) => {
    const operator = await startOperator(t, [...flags, ...more])
    await operator.ready(60_000)
    return operator
  }
  return { ...cluster, ...kubectlUser(cluster.plane), programs, startOperator: start, operator: await start() }
}

export type Story = NonNullable<Awaited<ReturnType<typeof startStory>>>
