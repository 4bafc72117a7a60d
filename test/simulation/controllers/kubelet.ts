import { modelKinds } from '../model/kinds.ts'
import { metadataOf } from '../model/metadata.ts'
import { at, isEqual, isTree, type Tree } from '../model/tree.ts'
import { Looker, type ControllerContext, type ModelController } from './controller.ts'

const { pod: pods, persistentVolumeClaim: claims, secret, configMap } = modelKinds

const list = (value: unknown): Tree[] => Array.isArray(value) ? value.filter(isTree) : []

/** Runs pods: one is ready some time after all that it needs is there. An image named `broken` never starts. */
export function kubelet (context: ControllerContext): ModelController {
  const { cluster } = context

  /** Whether every Secret that must be there is, and has its key. */
  const hasSecrets = (pod: Tree, namespace: string) => list(at(pod, 'spec', 'containers')).flatMap(({ env }) => list(env)).every(variable => {
    const reference = at(variable, 'valueFrom', 'secretKeyRef')
    if (!isTree(reference) || reference.optional === true) return true
    return at(cluster.find(secret, namespace, String(reference.name)), 'data', String(reference.key)) !== undefined
  })

  const hasVolumes = (pod: Tree, namespace: string) => {
    const name = String(metadataOf(pod).name).replace(/-0$/, '')
    const volumes = list(at(pod, 'spec', 'volumes'))
    const maps = volumes.flatMap(volume => isTree(volume.configMap) ? [String(volume.configMap.name)] : [])
    const templates = list(at(pod, 'spec', 'containers')).flatMap(({ volumeMounts }) => list(volumeMounts)).map(mount => String(mount.name)).filter(mount => !volumes.some(volume => volume.name === mount))
    return maps.every(map => cluster.find(configMap, namespace, map)) &&
      templates.every(template => at(cluster.find(claims, namespace, `${template}-${name}-0`), 'status', 'phase') === 'Bound')
  }

  const looker = new Looker('kubelet', context, key => {
    const [namespace = '', name = ''] = key.split('/')
    const pod = cluster.find(pods, namespace, name)
    if (!pod) return
    const containers = list(at(pod, 'spec', 'containers'))
    const image = String(containers[0]?.image)
    const wasReady = list(at(pod, 'status', 'conditions')).some(({ type, status }) => type === 'Ready' && status === 'True')
    // A running container keeps running, even if its inputs change.
    const hindrance = wasReady
      ? undefined
      : !hasVolumes(pod, namespace) ? 'ContainerCreating' : !hasSecrets(pod, namespace) ? 'CreateContainerConfigError' : image.includes('broken') ? 'ErrImagePull' : undefined
    const ready = hindrance === undefined
    const state = ready ? { running: {} } : { waiting: { reason: hindrance } }
    const status = {
      phase: ready ? 'Running' : 'Pending',
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      containerStatuses: containers.map(({ name, image }) => ({ name, image, ready, state })),
    }
    if (!isEqual(at(pod, 'status'), status)) cluster.api.patch({ kind: pods, namespace, name }, { status }, { manager: 'kubelet', subresource: 'status' })
  })

  return {
    onChange: ({ kind, type, object }) => {
      const { namespace, name } = metadataOf(object)
      if (kind === pods && type !== 'DELETED') looker.add(`${String(namespace)}/${String(name)}`)
      else if (kind === secret || kind === configMap || kind === claims) {
        for (const pod of cluster.list(pods)) if (metadataOf(pod).namespace === namespace) looker.add(`${String(namespace)}/${String(metadataOf(pod).name)}`)
      }
    },
    isIdle: () => looker.isIdle,
  }
}
