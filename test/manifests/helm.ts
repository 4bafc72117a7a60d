import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { kubernetesVersion } from '../control-plane/binaries.ts'
import { findProgram } from './find-program.ts'

export const chart = fileURLToPath(new URL('../../manifests/chart', import.meta.url))

export const findHelm = async (): Promise<string | undefined> => await findProgram('helm')

export const noHelm = 'no helm: put it on the PATH, or its path into the variable HELM'

/** The manifests of a release in the namespace of the default installation. @throws what Helm says */
export async function helmTemplate (helm: string, values: object = {}): Promise<string> {
  const args = ['template', 'dittofs-operator', chart, '--namespace', 'dittofs-system', '--kube-version', kubernetesVersion, '--values', '-']
  const running = promisify(execFile)(helm, args, { maxBuffer: 2 ** 24 })
  running.child.stdin?.end(JSON.stringify(values))
  return (await running).stdout
}
