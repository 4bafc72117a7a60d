import { copyFile, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, delimiter, dirname, join } from 'node:path'
import type { Terminal } from '../src/command-line/terminal.ts'
import { crdName } from '../src/dittoserver/api.ts'
import { acquireBinaries } from '../test/control-plane/acquisition.ts'
import { isExecutable } from '../test/control-plane/binaries.ts'
import { eventually, freePort, startControlPlane, type ControlPlane } from '../test/control-plane/control-plane.ts'
import { dittofsImages } from '../test/node/dittofs-image.ts'
import { holdMachineLock } from '../test/node/machine-lock.ts'
import { startNode, type TestNode } from '../test/node/node.ts'
import { isRoot } from '../test/node/sandbox.ts'
import { findFileServer, portsInUse, type FileServer } from './file-server.ts'
import { guide } from './guide.ts'
import { installedObjects } from './installed-objects.ts'
import { startOperator } from './operator.ts'
import { showProgress, type Progress } from './progress.ts'
import { writeSamples } from './samples.ts'
import { createScope, type Scope } from './scope.ts'
import { readTimes, writeTimes } from './step-times.ts'
import { aborted, stopSignal } from './stop-signal.ts'
import { uiPort } from './ui-port.ts'

export interface SandboxOptions {
  /** Whether to run a DittoFS server, if that is possible here. */
  readonly server: boolean
  /** Whether to build DittoFS if it is missing. */
  readonly buildServer: boolean
  /** More flags of `serve`. */
  readonly operatorFlags: readonly string[]
  /** The running program. */
  readonly program: string
}

const steps = ['programs', 'etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'installation', 'operator', 'node']

const nodeName = 'this-machine'

/**
 * A cluster on this machine in which the operator runs, until a signal ends it. Everything that it starts ends with this process, however
 * that ends. Resolves with an error message if a part does not start, or ends by itself.
 */
export async function sandbox (options: SandboxOptions, terminal: Terminal): Promise<string | undefined> {
  const signal = stopSignal()
  const scope = createScope()
  const progress = showProgress(process.stderr, steps, await readTimes(), signal)
  const began = performance.now()
  const starting = start(options, { scope, progress, signal })
  // After a signal it may fail in any way, because the programs are ended under it.
  starting.catch(() => {})
  try {
    const running = await Promise.race([starting, aborted(signal)])
    if (!running) return undefined
    await writeTimes(progress.done())
    terminal.print(guide({ ...running, isRoot, seconds: (performance.now() - began) / 1000 }))
    const lastLines = await Promise.race([running.operatorEnded(), aborted(signal)])
    return lastLines === undefined ? undefined : failure('operator', `it has ended:\n${lastLines}`, terminal)
  } catch (error) {
    const step = progress.fail() ?? ''
    return signal.aborted ? undefined : failure(step, (error as Error).message, terminal)
  } finally {
    progress.fail()
    if (signal.aborted) terminal.say('\nstopping')
    await scope.close()
    await starting.catch(() => {})
    await scope.close()
    for (const left of scope.failures) terminal.say(`cannot tidy up: ${(left as Error).message}`)
    if (signal.aborted && scope.failures.length === 0) terminal.say('stopped; nothing is left')
  }
}

/** The first line is the error of the command; the rest, which is the end of a log, goes before it. */
function failure (step: string, message: string, terminal: Terminal): string {
  const [first = '', ...rest] = message.split('\n')
  for (const line of rest) terminal.say(line)
  return `sandbox: ${step}: ${first.replace(/:$/, '')}`
}

interface Context { readonly scope: Scope, readonly progress: Progress, readonly signal: AbortSignal }

async function start (options: SandboxOptions, { scope, progress, signal }: Context) {
  const say = progress.note
  progress.begin('programs')
  const binaries = await acquireBinaries({ build: true, say, signal })
  if ('unavailable' in binaries) throw new Error(binaries.unavailable)
  const fileServer: FileServer = options.server
    ? await findFileServer({ build: options.buildServer, say, signal })
    : { reason: '--no-server was given' }

  const folder = await mkdtemp(join(tmpdir(), 'dittofs-sandbox-'))
  const plane = await startControlPlane(scope, binaries, { folder, onStart: progress.begin, controllerManager: true, scheduler: true })
  const kubeconfig = join(folder, 'kubeconfig')
  await copyFile(plane.kubeconfig, kubeconfig)
  const samples = await writeSamples(folder)

  progress.begin('installation')
  const port = await freePort()
  await install(plane, port)

  progress.begin('operator')
  const page = await uiPort()
  const operator = await startOperator(scope, plane, { folder, port, uiPort: page, program: options.program, flags: options.operatorFlags })
  // The API server takes some moments to use the CA of the webhook.
  await eventually(async () => {
    signal.throwIfAborted()
    return await kubectl(plane, ['apply', '--dry-run=server', '-f', join(samples, 'server.yaml')])
  }, 'a review of the webhook', 60_000)

  progress.begin('node')
  const running = await runFileServers(fileServer, plane, { scope, progress, signal })
  return {
    kubeconfig,
    samples,
    missingOnPath: await missingOnPath([binaries.kubectl, ...'dfsctl' in running ? [running.dfsctl] : []]),
    fileServer: running,
    operatorLog: operator.log,
    uiPort: page,
    podLogs: join(folder, nodeName, 'pods'),
    operatorEnded: operator.ended,
  }
}

async function install (plane: ControlPlane, webhookPort: number): Promise<void> {
  const list = { apiVersion: 'v1', kind: 'List', items: installedObjects(webhookPort) }
  await kubectl(plane, ['apply', '--server-side', '-f', '-'], JSON.stringify(list))
  await kubectl(plane, ['wait', '--for=condition=Established', '--timeout=60s', `crd/${crdName}`])
}

/** @throws the error message of kubectl */
async function kubectl (plane: ControlPlane, args: readonly string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await plane.kubectl(args, input)
  if (code !== 0) throw new Error(stderr.trim())
  return stdout
}

/** Starts the node on which DittoFS servers run, if they can. */
async function runFileServers (fileServer: FileServer, plane: ControlPlane, { scope, progress }: Context): Promise<FileServer> {
  if ('reason' in fileServer) return fileServer
  // Pods have the network of this machine, and the ports for NFS and SMB cannot be configured.
  await holdMachineLock({
    ...scope, comment: text => { progress.note(`${text}: another sandbox, or a test, runs a DittoFS server`) },
  }, 'dittofs-ports')
  const inUse = await portsInUse()
  if (inUse.length > 0) return { reason: `something on this machine already listens on port ${inUse.join(' and ')}` }
  const node: TestNode = await startNode(scope, plane, { name: nodeName, images: dittofsImages(fileServer.dfs) })
  scope.teardown(() => { if (node.faults.length > 0) throw new AggregateError(node.faults, `node: ${String(node.faults[0])}`) })
  return fileServer
}

/** The folders of those programs that the PATH does not lead to. */
async function missingOnPath (programs: readonly string[]): Promise<string[]> {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  const missing = await Promise.all(programs.map(async program => {
    const found = await Promise.all(folders.map(async folder => await isExecutable(join(folder, basename(program)))))
    return found.some(Boolean) ? [] : [dirname(program)]
  }))
  return missing.flat()
}
