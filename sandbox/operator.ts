import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { webhookService } from '../src/manifests/webhooks.ts'
import { name as serviceAccount } from '../src/manifests/install/installation.ts'
import { freePort } from '../test/control-plane/free-port.ts'
import { programsIn } from '../test/control-plane/programs-in.ts'
import type { ControlPlane } from '../test/control-plane/control-plane.ts'
import type { Scope } from './scope.ts'

const { namespace } = webhookService

export interface OperatorOptions {
  readonly folder: string
  /** The port of the webhook. */
  readonly port: number
  /** The port of the playground. */
  readonly uiPort: number
  /** The running program: another process of it becomes the operator. */
  readonly program: string
  /** More flags of `serve`. */
  readonly flags: readonly string[]
}

/** The operator, with the permissions of its ServiceAccount and a certificate of its own. Resolves when it is ready. */
export async function startOperator (scope: Scope, plane: Pick<ControlPlane, 'addUser'>, options: OperatorOptions) {
  const folder = join(options.folder, 'operator')
  await mkdir(folder, { recursive: true })
  const { program, stop } = programsIn(folder)
  scope.teardown(stop)
  // A client certificate, because the token of a ServiceAccount would expire.
  const { kubeconfigPath } = await plane.addUser(`system:serviceaccount:${namespace}:${serviceAccount}`,
    ['system:serviceaccounts', `system:serviceaccounts:${namespace}`])
  const healthPort = await freePort()
  const args = [
    ...process.execArgv, options.program, 'serve',
    '--kubeconfig', kubeconfigPath, '--host', '127.0.0.1', '--port', String(options.port), '--health-port', String(healthPort),
    '--cert-mode', 'self', '--tls-san', '127.0.0.1', '--operator-namespace', namespace, '--leader-election-namespace', namespace,
    '--ui-port', String(options.uiPort), '--log-format', 'json', ...options.flags,
  ]
  const operator = program('operator', process.execPath, args,
    async () => (await fetch(`http://127.0.0.1:${healthPort}/readyz`)).ok, { process: { env: { PATH: process.env.PATH } } })
  await operator.start()
  const log = join(folder, 'operator.log')
  return {
    healthPort,
    log,
    /** Resolves with the end of its log if it ends by itself. */
    ended: async () => {
      await operator.ended()
      return (await readFile(log, 'utf8')).trim().split('\n').slice(-15).join('\n')
    },
  }
}
