import { systemClock, type Clock } from '../clock.ts'
import { abortable, withDeadline } from './deadline.ts'
import { isInCluster, KubeconfigError, loadKubeConfig, type KubeconfigSource } from './kubeconfig-files.ts'
import type { RequestOptions } from 'node:https'
import type { KubeConfig } from '@kubernetes/client-node/dist/config.js'
import type { ApiConnection } from './api-client.ts'

/** The timeout of an exec plugin: if it hangs, it must not block all later requests. */
const credentialsTimeoutMs = 20_000
/** With invalid credentials every request gets a 401. The files or the plugin are not read again for each of them. */
const refreshIntervalMs = 10_000

export interface Connection extends ApiConnection {
  /** The namespace of the context, or of the pod. */
  readonly namespace: string | undefined
  /** Whether this is the ServiceAccount of the current pod. */
  readonly inCluster: boolean
}

/**
 * The connection to the API server. Rejects with KubeconfigError. The `KubeConfig` of @kubernetes/client-node reads certificates, token
 * files and exec plugins for each request. It is imported only here, and only if there is a cluster, because it loads all generated models
 * (80 MB).
 */
export async function loadConnection (
  source: KubeconfigSource, clock: Clock = systemClock,
): Promise<Connection> {
  const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js')
  const load = () => loadKubeConfig(() => new KubeConfig(), source)
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
    inCluster: isInCluster(source),

    /** Shared by concurrent requests: when all watches start, an exec plugin runs only once. */
    requestOptions () {
      running ??= withDeadline(clock, credentialsTimeoutMs, undefined, async signal => await abortable(optionsOf(config), signal))
        .finally(() => { running = undefined })
      return running
    },

    refresh () {
      if (clock.monotonic() - refreshedAt < refreshIntervalMs) return false
      refreshedAt = clock.monotonic()
      try {
        config = load()
        return true
      } catch {
        return false // the file may be half written: keep the current credentials, and report their 401
      }
    },
  }
}

function serverOf (config: KubeConfig): URL {
  const server = config.getCurrentCluster()?.server ?? ''
  if (!URL.canParse(server)) throw new KubeconfigError(`the cluster's server is not a URL: '${server}'`)
  const url = new URL(server)
  if (url.protocol !== 'https:') throw new KubeconfigError(`the cluster's server is not https, so credentials would be sent unencrypted: '${server}'`)
  return url
}

/**
 * The agent of client-node does not keep connections alive, and keeps the client certificate of the first request. So our own agent is
 * used, except with a proxy. A token file may end with a line break, which a header must not contain.
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

/** The names of all contexts. Rejects with KubeconfigError. */
export async function contextNames (source: KubeconfigSource): Promise<string[]> {
  const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js')
  return isInCluster(source) ? [] : loadKubeConfig(() => new KubeConfig(), source).getContexts().map(({ name }) => name)
}
