import { fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import { freePort } from '../../test/control-plane/control-plane.ts'

export interface Subject {
  readonly name: string
  readonly pid: number
  /** Zero: the process does not listen. */
  readonly port: number
  readonly stop: () => Promise<void>
}

async function ended (child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
}

export interface KeyPair { readonly folder: string, readonly cert: string, readonly key: string }

/** Makes one key pair for all servers, because the type of the key determines the cost of a handshake. */
export async function makeKeyPair (folder: string): Promise<KeyPair> {
  const pair = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec', algorithm: 'sha256', extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  })
  for (const [file, text] of [['tls.crt', pair.cert], ['tls.key', pair.private], ['ca.crt', pair.cert]] as const) await writeFile(join(folder, file), text)
  return { folder, cert: pair.cert, key: pair.private }
}

/** A Node process that does nothing. */
export async function startEmptyNode (flags: readonly string[] = []): Promise<Subject> {
  const child = spawn(process.execPath, [...flags, '-e', 'setInterval(() => {}, 1e9)'], { stdio: 'ignore' })
  return { name: 'empty Node', pid: child.pid ?? 0, port: 0, stop: async () => await ended(child) }
}

export async function startBareServer ({ cert, key }: KeyPair, flags: readonly string[] = []): Promise<Subject> {
  const child = fork(new URL('../admission/bare-server.ts', import.meta.url), {
    execArgv: [...flags], stdio: ['ignore', 'inherit', 'inherit', 'ipc'], env: { ...process.env, BENCH_CERT: cert, BENCH_KEY: key },
  })
  const [{ port }] = await once(child, 'message') as [{ port: number }]
  return { name: 'bare node:https', pid: child.pid ?? 0, port, stop: async () => await ended(child) }
}

export interface OperatorOptions {
  readonly program: string
  readonly flags: readonly string[]
  readonly kubeconfig: string
  readonly keyPair: KeyPair
}

/**
 * Starts the bundle as the image does, and resolves when it is ready. Its log goes into a pipe that another process reads, as in a
 * container.
 */
export async function startOperator ({ program, flags, kubeconfig, keyPair }: OperatorOptions) {
  const [port, healthPort] = [await freePort(), await freePort()]
  const started = performance.now()
  const child = spawn(process.execPath, [
    ...flags, program, 'serve', '--kubeconfig', kubeconfig, '--tls-dir', keyPair.folder, '--host', '127.0.0.1', '--port', String(port),
    '--health-port', String(healthPort), '--drain-period', '0',
  ], { stdio: ['ignore', 'inherit', 'pipe'], env: { PATH: process.env.PATH } })
  let last = ''
  child.stderr.on('data', chunk => { last = String(chunk) })
  while (await statusOf(`http://127.0.0.1:${healthPort}/readyz`) !== 200) {
    if (child.exitCode !== null) throw new Error(`the operator ended: ${last}`)
    if (performance.now() - started > 60_000) throw new Error(`the operator is not ready: ${last}`)
  }
  const startMs = performance.now() - started
  return { name: 'dittofs-operator', pid: child.pid ?? 0, port, healthPort, startMs, stop: async () => await ended(child) }
}

/** Waits briefly before each request, so that the polling does not take processor time from the starting process. */
async function statusOf (url: string): Promise<number> {
  await new Promise(resolve => setTimeout(resolve, 5))
  return await fetch(url).then(async response => {
    await response.text()
    return response.status
  }, () => 0)
}
