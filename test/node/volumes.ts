import { chmod, chown, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isRoot } from './sandbox.ts'
import type { ReadData } from './environment.ts'
import type { ContainerSpec, Item, Pod, PodSpec, Volume } from './pod.ts'
import type { Mount } from './sandbox.ts'

/** A volume cannot be mounted yet: kubelet tries again. */
export class MountError extends Error {}

export interface VolumesOptions {
  readonly pod: Pod
  /** Of the pod alone. */
  readonly folder: string
  readonly read: ReadData
  /** The folder of a claim that is bound. @throws MountError */
  readonly claimFolder: (claim: string) => Promise<string>
}

/** The folder of each volume of a pod, by name, with its required content. @throws MountError */
export async function mountVolumes (options: VolumesOptions): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>()
  for (const volume of options.pod.spec.volumes ?? []) {
    const folder = await mountVolume(volume, options)
    const isWritable = volume.persistentVolumeClaim !== undefined || volume.emptyDir !== undefined
    await giveToGroup(folder, options.pod.spec.securityContext?.fsGroup, isWritable)
    found.set(volume.name, folder)
  }
  return found
}

async function mountVolume (volume: Volume, { folder: parent, read, claimFolder }: VolumesOptions): Promise<string> {
  const { name, persistentVolumeClaim, configMap, secret, emptyDir, projected } = volume
  if (persistentVolumeClaim) return await claimFolder(persistentVolumeClaim.claimName)
  const folder = join(parent, name)
  await mkdir(folder, { recursive: true })
  if (emptyDir) {
    await chmod(folder, 0o777)
    return folder
  }
  const sources = dataSources(volume)
  const mode = (configMap ?? secret ?? projected)?.defaultMode ?? 0o644
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  for (const { kind, name: object, items, optional } of sources) {
    const data = await read(kind, object)
    if (!data && !optional) throw new MountError(`MountVolume.SetUp failed for volume "${name}" : ${kind} "${object}" not found`)
    const all = [...data?.keys() ?? []].map(key => ({ key, path: key }))
    await writeItems(folder, data ?? new Map(), items ?? all, mode, name)
  }
  return folder
}

/** The objects that a volume shows as files. @throws MountError for a kind of volume that is not known here */
function dataSources ({ name, configMap, secret, projected }: Volume) {
  if (configMap) return [{ kind: 'configmap' as const, ...configMap }]
  if (secret) return [{ kind: 'secret' as const, ...secret, name: secret.secretName }]
  if (!projected) throw new MountError(`volume "${name}": this node mounts claims, ConfigMaps, Secrets, emptyDir and projections of those only`)
  return projected.sources.flatMap(source => [
    ...source.configMap ? [{ kind: 'configmap' as const, ...source.configMap }] : [],
    ...source.secret ? [{ kind: 'secret' as const, ...source.secret }] : [],
  ])
}

async function writeItems (folder: string, data: ReadonlyMap<string, Buffer>, items: readonly Item[], defaultMode: number, volume: string) {
  for (const { key, path, mode = defaultMode } of items) {
    const value = data.get(key)
    if (!value) throw new MountError(`MountVolume.SetUp failed for volume "${volume}" : references non-existent config key: ${key}`)
    const file = join(folder, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, value)
    await chmod(file, mode)
  }
}

/** The effect of `fsGroup`: everything belongs to the group, which may write if the volume is writable. */
async function giveToGroup (folder: string, group: number | undefined, writable: boolean): Promise<void> {
  if (group === undefined || !isRoot) return
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue
    const path = join(entry.parentPath, entry.name)
    await giveOne(path, entry.isDirectory(), group, writable)
  }
  await giveOne(folder, true, group, writable)
}

async function giveOne (path: string, isFolder: boolean, group: number, writable: boolean): Promise<void> {
  await chown(path, -1, group)
  const { mode } = await stat(path)
  if (writable) await chmod(path, (mode & 0o7777) | (isFolder ? 0o2770 : 0o660))
}

/** Where the volumes, each in its folder, show in a container. */
export function volumeMounts (folders: ReadonlyMap<string, string>, { volumes = [] }: PodSpec, container: ContainerSpec): Mount[] {
  return (container.volumeMounts ?? []).map(({ name, mountPath, subPath = '', readOnly = false }) => {
    const { configMap, secret, projected } = volumes.find(volume => volume.name === name) ?? {}
    const isData = (configMap ?? secret ?? projected) !== undefined
    return { source: join(folders.get(name) ?? '', subPath), target: mountPath, readOnly: readOnly || isData }
  })
}
