import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { kubernetesVersion } from '../control-plane/binaries.ts'
import { findProgram } from '../control-plane/find-program.ts'

export const chart = fileURLToPath(new URL('../../manifests/chart', import.meta.url))

export const findHelm = async (): Promise<string | undefined> => await findProgram('helm')

export const noHelm = 'no helm: put it on the PATH, or its path into the variable HELM'

/** The manifests of a release in the namespace of the default installation. @throws the error of Helm */
export async function helmTemplate (helm: string, values: object = {}): Promise<string> {
  const args = ['template', 'dittofs-operator', chart, '--namespace', 'dittofs-system', '--kube-version', kubernetesVersion, '--values', '-']
  const running = promisify(execFile)(helm, args, { maxBuffer: 2 ** 24 })
  running.child.stdin?.end(JSON.stringify(values))
  return (await running).stdout
}

/** Any other command. @throws the error of Helm */
export async function runHelm (helm: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  return (await promisify(execFile)(helm, [...args], { maxBuffer: 2 ** 24, env: { ...process.env, ...env } })).stdout
}
