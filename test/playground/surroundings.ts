import { readFile } from 'node:fs/promises'
import { stringify } from 'yaml'
import { EmbeddedCluster } from '../../src/embedded/embedded-cluster.ts'
import { parseManifests } from '../../src/embedded/manifests.ts'
import { readFrom } from '../../src/embedded/read-object.ts'
import type { Pane, ServerTrial } from '../../src/playground/contract.ts'
import type { Surroundings } from '../../src/playground/surroundings.ts'
import { tryDocument } from '../../src/playground/try-document.ts'
import { defaultPolicy } from '../../src/rules/policy.ts'
import { serverOf } from '../e2e/kubectl-user.ts'

export const sample = async (name: string) => await readFile(new URL(`../../manifests/samples/${name}.yaml`, import.meta.url), 'utf8')

/** The StorageClasses of the samples, and `text`. */
export async function clusterOf (text = ''): Promise<Surroundings> {
  const manifests = [...parseManifests(await sample('cluster'), 'cluster.yaml'), ...parseManifests(text, 'more.yaml')]
  return { policy: defaultPolicy, cluster: new EmbeddedCluster(() => manifests), read: readFrom(() => manifests) }
}

export const document = (spec: object = {}) => stringify(serverOf('demo', { storage: { metadataSize: '10Gi' }, ...spec }))

/** The trial of a document with one server, with all panes. */
export async function tryOne (text: string, running?: string, cluster = ''): Promise<Required<Omit<ServerTrial, Optional>> & Pick<ServerTrial, Optional>> {
  const around = await clusterOf(cluster)
  const of = async (pane: Pane): Promise<ServerTrial> => {
    const { servers, problems } = await tryDocument({ text, pane, ...(running === undefined ? {} : { running }) }, around)
    const [server] = servers
    if (!server || servers.length > 1 || problems.length > 0) throw new Error(`not one server: ${JSON.stringify({ servers, problems })}`)
    return server
  }
  const { defaulted } = await of('defaulted')
  const { objects } = await of('objects')
  const { picture } = await of('picture')
  if (!defaulted || !objects || !picture) throw new Error('a pane has no content')
  return { ...await of('effects'), defaulted, objects, picture }
}

type Optional = 'effects' | 'notRendered'
