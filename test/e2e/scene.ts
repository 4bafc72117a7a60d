import { setTimeout as delay } from 'node:timers/promises'
import { eventually, type ControlPlane } from '../control-plane/control-plane.ts'
import { kubectlUser, serverOf, type Condition, type Found } from './kubectl-user.ts'

// Six servers that are created, changed, grown and deleted, and the resulting objects.

export const servers = ['a', 'b', 'c', 'd', 'e', 'f']
const claims = { metadata: '1Gi', cache: '5Gi', controlplane: '1Gi' }
const kindsMade = ['configmap', 'service', 'statefulset', 'secret', 'persistentvolumeclaim', 'dittoserver']

/** Nothing starts pods here, so a rollout stays where it is: at the update, or at the start if the update came before the pod. */
const rollout = new Set(['Progressing', 'Reconciling'])

export const expandableClass = {
  apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'expandable' }, provisioner: 'example.com/none', allowVolumeExpansion: true,
}

/** The same things done to the same servers, in a namespace of their own. */
export async function sceneOf ({ kubectl }: Pick<ControlPlane, 'kubectl'>, namespace: string, random: () => number) {
  const user = kubectlUser({ kubectl: async (args, input) => await kubectl(['-n', namespace, ...args], input) })
  const { run, patch, apply, get } = user
  await run(['create', 'namespace', namespace])
  for (const name of servers) {
    for (const [template, storage] of Object.entries(claims)) {
      await apply({
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name: `${namespace}-${template}-${name}` },
        spec: {
          accessModes: ['ReadWriteOnce'],
          capacity: { storage },
          storageClassName: 'expandable',
          persistentVolumeReclaimPolicy: 'Retain',
          csi: { driver: 'example.com', volumeHandle: `${namespace}-${template}-${name}` },
          claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name: `${template}-${name}-0` },
        },
      })
    }
  }
  const spec = async (name: string, change: object) => await patch('dittoserver', name, { spec: change })
  const list = async (kind: string) => (JSON.parse(await run(['get', kind, '-o', 'json'])) as { items: Found[] }).items
  const bound = async (name: string) =>
    await eventually(async () => (await get('pvc', `cache-${name}-0`))?.status?.phase === 'Bound', `cache-${name}-0 bound`, 300_000)
  const grown = async (name: string) =>
    await eventually(async () => JSON.stringify(await get('pvc', `cache-${name}-0`)).includes('"requests":{"storage":"10Gi"}'), `cache-${name}-0 grown`, 300_000)
  /** Actions of a user, in this order for each server; the servers are interleaved at random. */
  const steps = (name: string): (() => Promise<unknown>)[] => [
    async () => await apply(serverOf(name, { storage: { metadataSize: '1Gi', storageClassName: 'expandable' } })),
    async () => await spec(name, { metrics: { enabled: true }, smb: { enabled: true }, image: 'example.com/dittofs:2' }),
    async () => {
      await bound(name)
      await spec(name, { storage: { cacheSize: '10Gi' } })
    },
    async () => await spec(name, { metrics: { enabled: false }, replicas: name < 'c' ? 0 : 1 }),
    ...name > 'c'
      ? [async () => {
          // If a server is deleted before its volume has grown, the volume that is kept is small, which is correct.
          await grown(name)
          await run(['delete', 'dittoserver', name, '--wait=false'])
        }]
      : [],
    ...name > 'e'
      ? [async () => {
          await user.awaitGone('dittoserver', name, 60_000)
          await apply(serverOf(name, { storage: { metadataSize: '1Gi', cacheSize: '10Gi', storageClassName: 'expandable' }, nfsPort: 2049 }))
        }]
      : [],
  ]
  return {
    list,
    /** Takes all steps, with a pause before each. */
    play: async (pause: () => number) => {
      const left = servers.map(steps)
      for (;;) {
        const open = left.filter(remaining => remaining.length > 0)
        const next = open[Math.floor(random() * open.length)]?.shift()
        if (!next) return
        await delay(pause())
        await next()
      }
    },
    /** All objects, without random values and times. */
    outcome: async () => {
      const owners = new Map((await list('dittoserver')).map(({ metadata: { uid, name } }) => [uid, name]))
      const text: Record<string, unknown> = {}
      for (const kind of kindsMade) {
        for (const object of await list(kind)) {
          if (object.metadata.name === 'kube-root-ca.crt') continue
          for (const { uid } of object.metadata.ownerReferences ?? []) if (!owners.has(uid)) text[`orphan ${kind} ${object.metadata.name}`] = uid
          text[`${kind} ${object.metadata.name}`] = comparable(kind, object, namespace)
        }
      }
      return text
    },
  }
}

/** An object without random values, times and values from the API server. */
export function comparable (kind: string, object: Found, namespace: string): unknown {
  const { metadata: { labels, ownerReferences = [] }, spec, data, status } = object
  const text = JSON.stringify({
    labels,
    owned: ownerReferences.length,
    spec,
    data: kind === 'secret' ? Object.keys(data ?? {}) : data,
    status: kind === 'dittoserver' ? [status?.phase, status?.conditions?.map(comparableCondition)] : undefined,
  })
  const volatile = /"(clusterIPs?|nodePort|healthCheckNodePort|volumeName|dittofs\.io\/config-hash)":("[^"]*"|\d+|\[[^\]]*\])/g
  return JSON.parse(text.replaceAll(volatile, '"$1":0').replaceAll(namespace, 'NAMESPACE')) as unknown
}

const comparableCondition = ({ type, status, reason }: Condition) => [type, status, rollout.has(type) ? '' : reason]
