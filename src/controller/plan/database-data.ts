import type { KubernetesObject } from '../../cluster/kubernetes-object.ts'
import { compareQuantities } from '../../dittoserver/quantity.ts'

interface Spec {
  readonly instances?: readonly Instance[]
  readonly users?: readonly User[]
}
interface Instance { readonly name?: string, readonly dataVolumeClaimSpec?: VolumeClaim }
interface VolumeClaim { readonly storageClassName?: string, readonly resources?: { readonly requests?: { readonly storage?: string } } }
interface User { readonly name?: string, readonly databases?: readonly string[] }

export interface DataKept {
  readonly object: KubernetesObject
  /** Such as `spec.users[name=dittofs].databases`. */
  readonly kept: readonly string[]
}

/**
 * The rendered database cluster, with the existing values of fields that its data depends on: larger volumes, the StorageClass, and
 * database names. Admission refuses such changes, but a cluster from another operator may differ from a spec that was edited since. Pure.
 */
export function keepData (rendered: KubernetesObject, current: KubernetesObject): DataKept {
  const [wanted, live] = [(rendered.spec ?? {}) as Spec, (current.spec ?? {}) as Spec]
  const kept: string[] = []
  const instances = wanted.instances?.map(instance => keepVolume(instance, named(live.instances, instance.name), kept))
  const users = wanted.users?.map(user => keepDatabases(user, named(live.users, user.name), kept))
  const spec = { ...wanted, ...(instances ? { instances } : {}), ...(users ? { users } : {}) }
  return { object: kept.length > 0 ? { ...rendered, spec } : rendered, kept }
}

const named = <Entry extends { readonly name?: string }> (entries: readonly Entry[] = [], name = '') => entries.find(entry => entry.name === name)
const sizeOf = ({ resources }: VolumeClaim) => resources?.requests?.storage ?? ''

function keepVolume (wanted: Instance, live: Instance | undefined, kept: string[]): Instance {
  const [claim, existing] = [wanted.dataVolumeClaimSpec, live?.dataVolumeClaimSpec]
  if (!claim || !existing) return wanted
  const path = `spec.instances[name=${wanted.name ?? ''}].dataVolumeClaimSpec`
  const isLarger = (compareQuantities(sizeOf(existing), sizeOf(claim)) ?? 0) > 0
  const { storageClassName: given, ...rest } = claim
  const isOtherClass = given !== existing.storageClassName
  if (isLarger) kept.push(`${path}.resources.requests.storage`)
  if (isOtherClass) kept.push(`${path}.storageClassName`)
  const storageClassName = existing.storageClassName
  return {
    ...wanted,
    dataVolumeClaimSpec: {
      ...rest,
      ...(storageClassName === undefined ? {} : { storageClassName }),
      ...(isLarger ? { resources: { ...claim.resources, requests: { ...claim.resources?.requests, storage: sizeOf(existing) } } } : {}),
    },
  }
}

function keepDatabases (wanted: User, live: User | undefined, kept: string[]): User {
  const databases = live?.databases ?? []
  if (databases.length === 0 || JSON.stringify(databases) === JSON.stringify(wanted.databases)) return wanted
  kept.push(`spec.users[name=${wanted.name ?? ''}].databases`)
  return { ...wanted, databases }
}
