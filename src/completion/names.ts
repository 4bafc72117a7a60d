import { listAll } from '../cluster/collection.ts'
import { contextNames } from '../cluster/kubeconfig.ts'
import { kinds } from '../cluster/kinds.ts'
import { resourcePath, type Resource } from '../cluster/resource-path.ts'
import { open } from '../command-line/live.ts'
import { defaultNamespace } from '../embedded/manifests.ts'
import type { ChosenCluster, Names } from './candidates.ts'

/** Milliseconds. Who presses Tab does not wait longer. */
const patience = 3_000
const namespaces: Resource = { group: '', version: 'v1', resource: 'namespaces' }

async function list (cluster: ChosenCluster, resource: Resource, isNamespaced: boolean): Promise<string[]> {
  const { client, namespace } = await open(cluster)
  try {
    const names: string[] = []
    const path = resourcePath(resource, isNamespaced ? { namespace: cluster.namespace ?? namespace ?? defaultNamespace } : {})
    await listAll(client, { path, metadataOnly: true }, AbortSignal.timeout(patience), ({ metadata }) => { names.push(metadata.name) })
    return names
  } finally {
    client.close()
  }
}

/** A shell shows no error while it completes. */
const quietly = (names: Names[keyof Names]): Names[keyof Names] => async cluster => await names(cluster).catch(() => [])

export const namesOfCluster: Names = {
  servers: quietly(async cluster => await list(cluster, kinds.DittoServer, true)),
  namespaces: quietly(async cluster => await list(cluster, namespaces, false)),
  contexts: quietly(async ({ kubeconfig }) => await contextNames(kubeconfig === undefined ? {} : { file: kubeconfig })),
}
