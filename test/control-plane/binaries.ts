import { access, constants } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'

export const kubernetesVersion = 'v1.36.3'

/** What every envtest archive has. */
export const corePrograms = ['etcd', 'kube-apiserver', 'kubectl'] as const
/** No envtest archive has it, and only the tests that need working controllers do. */
export const controllerManager = 'kube-controller-manager'

type CoreProgram = typeof corePrograms[number]
export type ProgramName = CoreProgram | typeof controllerManager

/** Full paths of the programs. */
export type Binaries = Readonly<Record<CoreProgram, string> & Partial<Record<typeof controllerManager, string>>>

/** One line for a person: what is missing and how to get it. */
export interface Unavailable { readonly unavailable: string }

export const cacheFolder = () =>
  // Empty means the default, too: https://specifications.freedesktop.org/basedir-spec/latest/
  join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'dittofs-operator', 'control-plane', kubernetesVersion)

/**
 * Looks in KUBEBUILDER_ASSETS, then in the cache. The core programs come from one folder, so that they are of one version;
 * the controller manager, which `setup-envtest` does not install, may come from the other.
 */
export async function findBinaries (options: { readonly controllerManager?: boolean } = {}): Promise<Binaries | Unavailable> {
  const core = await folderWith(corePrograms)
  const manager = await folderWith([controllerManager])
  const missing = [...core ? [] : corePrograms, ...manager || !options.controllerManager ? [] : [controllerManager]]
  if (!core || missing.length > 0) {
    return { unavailable: `no ${missing.join(', ')}: \`npm run control-plane\` downloads or builds what is missing; or set KUBEBUILDER_ASSETS` }
  }
  return {
    etcd: join(core, 'etcd'),
    'kube-apiserver': join(core, 'kube-apiserver'),
    kubectl: join(core, 'kubectl'),
    ...manager && { [controllerManager]: join(manager, controllerManager) },
  }
}

/** The first folder that has all of `programs`. */
export async function folderWith (programs: readonly ProgramName[]): Promise<string | undefined> {
  for (const folder of [process.env.KUBEBUILDER_ASSETS, cacheFolder()]) {
    if (!folder) continue
    const found = await Promise.all(programs.map(async program => await isExecutable(join(folder, program))))
    if (found.every(Boolean)) return folder
  }
  return undefined
}

const isExecutable = async (path: string) => await access(path, constants.X_OK).then(() => true, () => false)
