import { access, constants } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'

export const kubernetesVersion = 'v1.36.3'

/** The programs in every envtest archive. */
export const corePrograms = ['etcd', 'kube-apiserver', 'kubectl'] as const
/** No envtest archive has these, and only the tests that need working controllers, or pods that are given a node, do. */
export const controllerManager = 'kube-controller-manager'
export const scheduler = 'kube-scheduler'
export const optionalPrograms = [controllerManager, scheduler] as const

type CoreProgram = typeof corePrograms[number]
export type OptionalProgram = typeof optionalPrograms[number]
export type ProgramName = CoreProgram | OptionalProgram

/** Full paths of the programs. */
export type Binaries = Readonly<Record<CoreProgram, string> & Partial<Record<OptionalProgram, string>>>

/** The programs that a test needs in addition to the core programs. */
export interface Needs {
  readonly controllerManager?: boolean
  readonly scheduler?: boolean
}

/** One line for users: what is missing and how to get it. */
export interface Unavailable { readonly unavailable: string }

/** Everything that tests keep between runs. */
export const cacheRoot = () =>
  // Empty means the default, too: https://specifications.freedesktop.org/basedir-spec/latest/
  join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'dittofs-operator')

export const cacheFolder = () => join(cacheRoot(), 'control-plane', kubernetesVersion)

/**
 * Looks in KUBEBUILDER_ASSETS, then in the cache. The core programs come from one folder, so that they are of one version;
 * the others, which `setup-envtest` does not install, may come from elsewhere.
 */
export async function findBinaries (needs: Needs = {}): Promise<Binaries | Unavailable> {
  const core = await folderWith(corePrograms)
  const needed = { [controllerManager]: needs.controllerManager, [scheduler]: needs.scheduler }
  const found: Partial<Record<OptionalProgram, string>> = {}
  const missing: ProgramName[] = core ? [] : [...corePrograms]
  for (const program of optionalPrograms) {
    const folder = await folderWith([program])
    if (folder) found[program] = join(folder, program)
    else if (needed[program]) missing.push(program)
  }
  if (!core || missing.length > 0) {
    return { unavailable: `no ${missing.join(', ')}: \`npm run control-plane\` downloads or builds what is missing; or set KUBEBUILDER_ASSETS` }
  }
  return {
    etcd: join(core, 'etcd'),
    'kube-apiserver': join(core, 'kube-apiserver'),
    kubectl: join(core, 'kubectl'),
    ...found,
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

export const isExecutable = async (path: string) => await access(path, constants.X_OK).then(() => true, () => false)
