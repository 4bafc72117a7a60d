import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parse } from 'yaml'
import { abortable, withDeadline } from './deadline.ts'
import type { RequestOptions } from 'node:https'
import type { KubeConfig } from '@kubernetes/client-node/dist/config.js'
import type { ApiConnection } from './api-client.ts'

export interface KubeconfigSource {
  /** A kubeconfig file; without it, the ServiceAccount of the pod that this runs in. */
  readonly file?: string
  /** A context of that file other than its current one. */
  readonly context?: string
  /** Where `/var/run/secrets/kubernetes.io/serviceaccount` begins: another root for tests. */
  readonly root?: string
}

/** A setting is wrong or missing: the message is for whoever started the program. */
export class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError'
}

/** An exec plugin that hangs must not hang every request after it. */
const credentialsTimeoutMs = 20_000
/** A wrong credential answers 401 to every request; the files or the plugin behind it are not asked again for each. */
const refreshIntervalMs = 10_000

/**
 * The way to the API server. Rejects with KubeconfigError. Certificates, token files and exec plugins are looked at for
 * each request, by the `KubeConfig` of @kubernetes/client-node; it is imported here alone, and only when there is a
 * cluster, because it brings along all the generated models (80 MB).
 */
export async function loadConnection (source: KubeconfigSource): Promise<ApiConnection & { readonly namespace: string | undefined }> {
  const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js')
  const load = () => loadKubeConfig(new KubeConfig(), source)
  let config = load()
  let refreshedAt = -Infinity
  let running: Promise<RequestOptions> | undefined
  const optionsOf = async (current: KubeConfig) => {
    const options: RequestOptions = {}
    await current.applyToHTTPSOptions(options)
    return tidy(options, current)
  }

  return {
    server: serverOf(config),
    namespace: config.getContextObject(config.getCurrentContext())?.namespace,

    /** Shared by the requests that need it at the same time: when all watches start, an exec plugin runs once. */
    requestOptions () {
      running ??= withDeadline(credentialsTimeoutMs, undefined, async signal => await abortable(optionsOf(config), signal))
        .finally(() => { running = undefined })
      return running
    },

    refresh () {
      if (performance.now() - refreshedAt < refreshIntervalMs) return false
      refreshedAt = performance.now()
      try {
        config = load()
        return true
      } catch {
        return false // a file half written just now; the credentials at hand stay, and their 401 is what gets reported
      }
    },
  }
}

function loadKubeConfig (config: KubeConfig, source: KubeconfigSource): KubeConfig {
  if (source.file === undefined) return loadInCluster(config, source)
  try {
    config.loadFromFile(source.file)
    useTokenFiles(config, source.file)
  } catch (error) {
    // The lines after the first quote the file, credentials and all; as a cause they would end up in a log.
    const why = error instanceof Error ? error.message.split('\n')[0] : 'not readable'
    throw new KubeconfigError(`--kubeconfig ${source.file}: ${why}`)
  }
  if (source.context !== undefined) config.setCurrentContext(source.context)
  const context = config.getCurrentContext()
  if (config.getContextObject(context ?? '') === null) {
    const known = config.getContexts().map(({ name }) => `'${name}'`).join(', ')
    throw new KubeconfigError(`--kubeconfig ${source.file}: no context '${context ?? ''}'; it has: ${known || 'none'}`)
  }
  if (config.getCurrentCluster() === null) {
    throw new KubeconfigError(`--kubeconfig ${source.file}: context '${context}' names a cluster that the file does not have`)
  }
  return config
}

function loadInCluster (config: KubeConfig, { root = '', context }: KubeconfigSource): KubeConfig {
  if (context !== undefined) throw new KubeconfigError('--context needs --kubeconfig FILE')
  if (process.env['KUBERNETES_SERVICE_HOST'] === undefined) {
    throw new KubeconfigError('no cluster: give --kubeconfig FILE, or run in a pod (KUBERNETES_SERVICE_HOST is not set)')
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

/** `tokenFile` of a kubeconfig, which client-node 2.0.1 leaves out: read anew each minute, as client-go does. */
function useTokenFiles (config: KubeConfig, file: string): void {
  const { users = [] } = parse(readFileSync(file, 'utf8')) as { users?: { name: string, user?: { tokenFile?: string } }[] }
  config.users = config.users.map(user => {
    const tokenFile = users.find(({ name }) => name === user.name)?.user?.tokenFile
    if (tokenFile === undefined) return user
    return { ...user, authProvider: { name: 'tokenFile', config: { tokenFile: resolve(dirname(file), tokenFile) } } }
  })
}

function serverOf (config: KubeConfig): URL {
  const server = config.getCurrentCluster()?.server ?? ''
  if (!URL.canParse(server)) throw new KubeconfigError(`the cluster's server is not a URL: '${server}'`)
  const url = new URL(server)
  if (url.protocol !== 'https:') throw new KubeconfigError(`the cluster's server is not https, and would see credentials in clear: '${server}'`)
  return url
}

/**
 * The agent of client-node keeps no connection alive and holds on to the client certificate of the first request, so ours
 * is used instead, except through a proxy. A token file may end in a line break, which a header must not.
 */
function tidy (options: RequestOptions, config: KubeConfig): RequestOptions {
  const { agent, headers, ...rest } = options
  const { Authorization: authorization, ...others } = headers as Record<string, string | undefined> ?? {}
  return {
    ...rest,
    ...(config.getCurrentCluster()?.proxyUrl === undefined || agent === undefined ? {} : { agent }),
    headers: { ...others, ...(authorization === undefined ? {} : { Authorization: authorization.trim() }) },
  }
}
