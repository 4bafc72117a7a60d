import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { parse } from 'yaml'
import type { KubeConfig } from '@kubernetes/client-node/dist/config.js'

export interface KubeconfigSource {
  /**
   * A kubeconfig file. If it is absent, the same defaults as in kubectl apply: the files in KUBECONFIG, then `~/.kube/config`, then the
   * ServiceAccount of the current pod.
   */
  readonly file?: string
  /** A context in the files instead of their current context. */
  readonly context?: string
  /** The root folder of `/var/run/secrets/kubernetes.io/serviceaccount`; tests use another one. */
  readonly root?: string
}

/** A setting is wrong or missing: the message is for the user who started the program. */
export class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError'
}

/** Creates a KubeConfig; supplied by the caller that imports the class. */
type Make = () => KubeConfig

/** Loads the source. @throws {KubeconfigError} */
export function loadKubeConfig (make: Make, source: KubeconfigSource): KubeConfig {
  const { setting, files } = filesOf(source)
  if (files.length === 0) return loadInCluster(make(), source)
  const config = files.map(file => loadFile(make(), file, setting)).reduce(merged)
  if (source.context !== undefined) config.setCurrentContext(source.context)
  const context = config.getCurrentContext() || undefined
  if (config.getContextObject(context ?? '') === null) {
    const known = config.getContexts().map(({ name }) => `'${name}'`).join(', ')
    throw new KubeconfigError(`${setting}: no context '${context ?? ''}'; it has: ${known || 'none'}`)
  }
  if (config.getCurrentCluster() === null) {
    throw new KubeconfigError(`${setting}: context '${context}' names a cluster that the file does not have`)
  }
  // Otherwise requests would be anonymous, and could read little more than the version of Kubernetes.
  const { user } = config.getContextObject(context ?? '') ?? {}
  if (user && config.getCurrentUser() === null) {
    throw new KubeconfigError(`${setting}: context '${context}' names the user '${user}', which the file does not have`)
  }
  return config
}

/** In a container with another user than that of the image, no file knows the user's home. */
function home (): string {
  try {
    return process.env['HOME'] ?? homedir()
  } catch {
    return '/'
  }
}

/** Whether only the ServiceAccount of the pod is left. @throws {KubeconfigError} */
export const isInCluster = (source: KubeconfigSource): boolean => filesOf(source).files.length === 0

/** The files, and the setting that names them; no files if only the ServiceAccount of the pod is left. */
function filesOf ({ file }: KubeconfigSource): { setting: string, files: readonly string[] } {
  if (file !== undefined) return { setting: `--kubeconfig ${file}`, files: [file] }
  const listed = (process.env['KUBECONFIG'] ?? '').split(delimiter).filter(path => path !== '')
  if (listed.length > 0) {
    const setting = `KUBECONFIG ${listed.join(delimiter)}`
    // Like kubectl, skip files that do not exist: KUBECONFIG may name files that kubectl would create.
    const files = listed.filter(path => existsSync(path))
    if (files.length === 0) throw new KubeconfigError(`${setting}: no such file`)
    return { setting, files }
  }
  const usual = join(home(), '.kube', 'config')
  return { setting: usual, files: existsSync(usual) ? [usual] : [] }
}

function loadFile (config: KubeConfig, file: string, setting: string): KubeConfig {
  try {
    config.loadFromFile(file)
    useTokenFiles(config, file)
    return config
  } catch (error) {
    // The later lines quote the file, including credentials. As a cause of the error they would be logged.
    const why = error instanceof Error ? error.message.split('\n')[0] : 'not readable'
    throw new KubeconfigError(`${setting}: ${why}`)
  }
}

/** If two files have the same entry, the first one wins. */
function merged (first: KubeConfig, second: KubeConfig): KubeConfig {
  const joined = <Entry extends { readonly name: string }>(known: readonly Entry[], more: readonly Entry[]) =>
    [...known, ...more.filter(({ name }) => !known.some(entry => entry.name === name))]
  first.clusters = joined(first.clusters, second.clusters)
  first.users = joined(first.users, second.users)
  first.contexts = joined(first.contexts, second.contexts)
  if (!first.currentContext) first.currentContext = second.currentContext
  return first
}

function loadInCluster (config: KubeConfig, { root = '', context }: KubeconfigSource): KubeConfig {
  const noFile = 'neither KUBECONFIG nor ~/.kube/config exists'
  if (context !== undefined) throw new KubeconfigError(`--context ${context}: no kubeconfig to take it from: ${noFile}; give --kubeconfig FILE`)
  if (process.env['KUBERNETES_SERVICE_HOST'] === undefined) {
    throw new KubeconfigError(`no cluster: give --kubeconfig FILE (${noFile}), or run in a pod (KUBERNETES_SERVICE_HOST is not set)`)
  }
  config.loadFromCluster(root)
  const { caFile } = config.getCurrentCluster() ?? {}
  try {
    readFileSync(caFile ?? '')
  } catch (error) {
    throw new KubeconfigError('no ServiceAccount credentials in this pod: give --kubeconfig FILE, or set automountServiceAccountToken', { cause: error })
  }
  return config
}

/** `tokenFile` of a kubeconfig, which client-node 2.0.1 does not support: read again every minute, as in client-go. */
function useTokenFiles (config: KubeConfig, file: string): void {
  const { users = [] } = parse(readFileSync(file, 'utf8')) as { users?: { name: string, user?: { tokenFile?: string } }[] }
  config.users = config.users.map(user => {
    const tokenFile = users.find(({ name }) => name === user.name)?.user?.tokenFile
    if (tokenFile === undefined) return user
    return { ...user, authProvider: { name: 'tokenFile', config: { tokenFile: resolve(dirname(file), tokenFile) } } }
  })
}
