import { kinds } from '../cluster/kinds.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { percona } from '../dittoserver/api.ts'
import { effectiveBackend } from '../dittoserver/database.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import { sizeOf } from '../render/claim.ts'
import { jwtReference } from '../render/jwt-secret.ts'
import { childNames } from '../render/names.ts'
import { secretUses } from '../render/secret-uses.ts'
import { claimName, claimTemplates } from '../render/volumes.ts'
import type { Fact } from '../rules/facts.ts'
import type { Picture, PictureNode, Presence } from './contract.ts'
import type { Surroundings } from './surroundings.ts'

/** Milliseconds for all lookups of a picture. */
const lookupBudget = 2_000

type Lookups = Surroundings['cluster']

/** The objects of a server and how they depend on each other, from those that clients reach to those that it needs. */
export async function picture (server: DittoServer, objects: readonly KubernetesObject[], { cluster }: Surroundings): Promise<Picture> {
  const signal = AbortSignal.timeout(lookupBudget)
  const root = serverNode(server, objects)
  const access = objects.filter(({ kind }) => kind === kinds.Service.kind).map(serviceNode)
  const configuration = objects.filter(({ kind }) => kind === kinds.ConfigMap.kind)
    .map(({ kind, metadata: { name } }) => node('needs', kind, name, { detail: 'config.yaml', presence: 'rendered' }))
  const claims = claimNodes(server)
  const classes = await storageClass(server, cluster, signal)
  const { database, operator } = await databaseNodes(server, cluster, signal)
  const needs = [...configuration, ...claims, ...await secretNodes(server, cluster, signal), database]
  return {
    nodes: [...access, root, ...needs, ...classes, ...operator],
    edges: [
      ...edges(access, [root]),
      ...edges([root], needs),
      ...edges(claims, classes),
      ...edges([database], operator),
    ],
  }
}

const node = (column: PictureNode['column'], kind: string, name: string, rest: Pick<PictureNode, 'detail' | 'presence'>): PictureNode =>
  ({ id: `${kind}/${name}`, column, kind, name, ...rest })

const edges = (from: readonly PictureNode[], to: readonly PictureNode[]) =>
  from.flatMap(({ id }) => to.map(other => ({ from: id, to: other.id })))

const presenceOf = ({ state }: Fact<unknown>): Presence => state === 'absent' ? 'missing' : state

function serverNode ({ metadata: { name }, spec }: DittoServer, objects: readonly KubernetesObject[]): PictureNode {
  const { kind } = kinds.StatefulSet
  return objects.some(object => object.kind === kind)
    ? node('server', kind, name, { detail: spec.replicas === 0 ? 'stopped: 0 replicas' : spec.image, presence: 'rendered' })
    : node('server', kind, name, { detail: 'not created', presence: 'missing' })
}

function serviceNode ({ kind, metadata: { name }, spec }: KubernetesObject): PictureNode {
  const { ports, type, clusterIP } = spec as { ports: readonly { name: string, port: number }[], type: string, clusterIP?: string }
  const access = clusterIP === 'None' ? 'headless' : type
  const detail = ports.map(port => `${port.name} ${port.port}`).join(', ')
  return { ...node('access', kind, name, { detail, presence: 'rendered' }), kind: `${access} ${kind}` }
}

const claimNodes = (server: DittoServer): PictureNode[] => claimTemplates(server).map(template =>
  node('needs', kinds.PersistentVolumeClaim.kind, claimName(template.metadata.name, server.metadata.name), { detail: sizeOf(template), presence: 'rendered' }))

async function storageClass ({ spec }: DittoServer, cluster: Lookups, signal: AbortSignal): Promise<PictureNode[]> {
  const { storageClassName: name } = spec.storage
  const kind = 'StorageClass'
  if (name === '') return []
  if (name !== undefined) {
    const presence = presenceOf(await cluster.storageClass(name, signal))
    return [node('class', kind, name, { detail: 'of every volume', presence })]
  }
  const all = cluster.storageClasses()
  if (all.state !== 'present') return [node('class', kind, 'default', { detail: 'could not be read', presence: 'unknown' })]
  const preset = all.value.find(({ isDefault }) => isDefault)
  return preset
    ? [node('class', kind, preset.name, { detail: 'the default class', presence: 'present' })]
    : [node('class', kind, 'default', { detail: 'there is no default class', presence: 'missing' })]
}

async function secretNodes (server: DittoServer, cluster: Lookups, signal: AbortSignal): Promise<PictureNode[]> {
  const { namespace, name: owner } = server.metadata
  const signingKey = jwtReference(server)
  const nodes: PictureNode[] = []
  for (const [name, uses] of Map.groupBy(secretUses(server), ({ secret }) => secret)) {
    const isOfPercona = name === childNames(owner).perconaUserSecret
    const isCreated = isOfPercona || (signingKey.managed && signingKey.name === name)
    nodes.push(node('needs', kinds.Secret.kind, name, {
      detail: isOfPercona ? 'from the Percona operator' : uses.map(({ prefix }) => purposes[prefix]).join(', '),
      presence: isCreated ? 'rendered' : presenceOf(await cluster.secret(namespace, name, signal)),
    }))
  }
  return nodes
}

const purposes = { jwt: 'signing key', admin: 'admin password', postgres: 'PostgreSQL', s3: 'S3 credentials', percona: 'PostgreSQL' } as const

/** `operator`: what must be installed for the database. */
async function databaseNodes ({ metadata, spec }: DittoServer, cluster: Lookups, signal: AbortSignal) {
  switch (effectiveBackend(spec)) {
    case 'sqlite': return { database: node('needs', 'Database', 'SQLite', { detail: spec.database.sqlite.path, presence: 'rendered' }), operator: [] }
    case 'external': return { database: node('needs', 'Database', 'PostgreSQL', { detail: 'external', presence: 'present' }), operator: [] }
    case 'percona': {
      const presence = presenceOf(await cluster.perconaServed(signal))
      const { replicas, storageSize } = spec.percona
      return {
        database: node('needs', percona.kind, childNames(metadata.name).perconaCluster, {
          detail: `${replicas} × ${storageSize}`, presence: presence === 'present' ? 'rendered' : presence,
        }),
        operator: [node('class', 'CustomResourceDefinition', 'Percona operator', { detail: presence === 'missing' ? 'not installed' : percona.group, presence })],
      }
    }
  }
}
