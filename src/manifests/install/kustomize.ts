import { generatedYaml, yamlOf } from '../yaml.ts'
import { certManagerInstallation, defaultInstallation, filesInstallation, haInstallation, namespacedInstallation } from './installation.ts'
import { jsonPatch } from './json-patch.ts'
import type { Installation } from './installation.ts'
import type { Manifest } from './manifest.ts'
import { manifestsOf } from './parts.ts'
import type { Placed } from './parts.ts'

const kustomization = (content: object) => generatedYaml({ apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', ...content })

/** The files of a folder, by their names. */
function filesOf (placed: readonly Placed[]): Map<string, string> {
  const byFile = new Map<string, Manifest[]>()
  for (const { file, manifest } of placed) byFile.set(`${file}.yaml`, [...byFile.get(`${file}.yaml`) ?? [], manifest])
  return new Map([...byFile].map(([file, manifests]) => [file, generatedYaml(...manifests)]))
}

const inFolder = (folder: string, files: ReadonlyMap<string, string>) =>
  Object.fromEntries([...files].map(([file, content]) => [`${folder}/${file}`, content]))

function base (folder: string): Record<string, string> {
  const files = filesOf(manifestsOf(defaultInstallation))
  return inFolder(folder, new Map([...files, ['kustomization.yaml', kustomization({ resources: [...files.keys()] })]]))
}

const identity = ({ apiVersion, kind, metadata: { name, namespace = '' } }: Manifest) => `${apiVersion} ${kind} ${namespace}/${name}`
const headOf = ({ apiVersion, kind, metadata: { name, namespace } }: Manifest) =>
  ({ apiVersion, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } })
const targetOf = ({ apiVersion, kind, metadata: { name, namespace } }: Manifest) => {
  const [version = '', group] = apiVersion.split('/').reverse()
  return { ...(group === undefined ? {} : { group }), version, kind, name, ...(namespace === undefined ? {} : { namespace }) }
}

/** What is added to the default installation, and what is patched in it. */
function overlay (folder: string, installation: Installation): Record<string, string> {
  const before = new Map(manifestsOf(defaultInstallation).map(({ manifest }) => [identity(manifest), manifest]))
  const after = manifestsOf(installation)
  const added = filesOf(after.filter(({ manifest }) => !before.has(identity(manifest))))
  const kept = new Map(after.map(({ manifest }) => [identity(manifest), manifest]))
  const patches = [...before].flatMap(([key, manifest]) => {
    const wanted = kept.get(key)
    if (!wanted) return [{ patch: yamlOf({ $patch: 'delete', ...headOf(manifest) }) }]
    const operations = jsonPatch(manifest, wanted)
    return operations.length === 0 ? [] : [{ target: targetOf(manifest), patch: yamlOf(operations) }]
  })
  return inFolder(folder, new Map([...added, ['kustomization.yaml', kustomization({
    resources: ['../../default', ...added.keys()], patches,
  })]]))
}

const monitoringFolder = 'manifests/monitoring'

/** For any of the others: `components: [../monitoring]`. */
function monitoringComponent (): Record<string, string> {
  const files = filesOf(manifestsOf({ ...defaultInstallation, monitoring: true }).filter(({ file }) => file === 'monitoring'))
  return inFolder(monitoringFolder, new Map([...files, ['kustomization.yaml', generatedYaml({
    apiVersion: 'kustomize.config.k8s.io/v1alpha1', kind: 'Component', resources: [...files.keys()],
  })]]))
}

/** The installations that kustomize offers, by folder. */
export const kustomizeInstallations: Readonly<Record<string, Installation>> = {
  'manifests/default': defaultInstallation,
  'manifests/overlays/cert-manager': certManagerInstallation,
  'manifests/overlays/files': filesInstallation,
  'manifests/overlays/ha': haInstallation,
  'manifests/overlays/namespaced': namespacedInstallation,
}

export const kustomizeFiles = (): Record<string, string> => Object.assign(monitoringComponent(),
  ...Object.entries(kustomizeInstallations).map(([folder, installation]) =>
    installation === defaultInstallation ? base(folder) : overlay(folder, installation))) as Record<string, string>
