import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cacheFolder, kubernetesVersion } from '../control-plane/binaries.ts'

export const chart = fileURLToPath(new URL('../../manifests/chart', import.meta.url))

const isExecutable = async (path: string) => await access(path, constants.X_OK).then(() => true, () => false)

/** `helm`, from the variable HELM, the PATH, or the cache. */
export async function findHelm (): Promise<string | undefined> {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), join(dirname(cacheFolder()), 'helm')]
  for (const path of [process.env.HELM ?? '', ...folders.map(folder => join(folder, 'helm'))]) {
    if (path && await isExecutable(path)) return path
  }
  return undefined
}

export const noHelm = 'no helm: put it on the PATH, or its path into the variable HELM'

/** The manifests of a release in the namespace of the default installation. @throws what Helm says */
export async function helmTemplate (helm: string, values: object = {}): Promise<string> {
  const args = ['template', 'dittofs-operator', chart, '--namespace', 'dittofs-system', '--kube-version', kubernetesVersion, '--values', '-']
  const running = promisify(execFile)(helm, args, { maxBuffer: 2 ** 24 })
  running.child.stdin?.end(JSON.stringify(values))
  return (await running).stdout
}
