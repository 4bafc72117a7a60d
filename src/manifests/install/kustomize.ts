import { generatedYaml, yamlOf } from '../yaml.ts'
import { components, defaultInstallation, withComponents, type ComponentName } from './installation.ts'
import { jsonPatch } from './json-patch.ts'
import type { Installation } from './installation.ts'
import type { Manifest } from './manifest.ts'
import { manifestsOf } from './parts.ts'
import type { Placed } from './parts.ts'

type Kind = 'Kustomization' | 'Component'

const kustomization = (kind: Kind, content: object) =>
  generatedYaml({ apiVersion: `kustomize.config.k8s.io/${kind === 'Component' ? 'v1alpha1' : 'v1beta1'}`, kind, ...content })

/** The files in a folder, by name. */
function filesOf (placed: readonly Placed[]): Map<string, string> {
  const byFile = Map.groupBy(placed, ({ file }) => `${file}.yaml`)
  return new Map([...byFile].map(([file, list]) => [file, generatedYaml(...list.map(({ manifest }) => manifest))]))
}

const inFolder = (folder: string, files: ReadonlyMap<string, string>) =>
  Object.fromEntries([...files].map(([file, content]) => [`${folder}/${file}`, content]))

function base (folder: string): Record<string, string> {
  const files = filesOf(manifestsOf(defaultInstallation))
  return inFolder(folder, new Map([...files, ['kustomization.yaml', kustomization('Kustomization', { resources: [...files.keys()] })]]))
}

const identity = ({ apiVersion, kind, metadata: { name, namespace = '' } }: Manifest) => `${apiVersion} ${kind} ${namespace}/${name}`
const headOf = ({ apiVersion, kind, metadata: { name, namespace } }: Manifest) =>
  ({ apiVersion, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } })
const targetOf = ({ apiVersion, kind, metadata: { name, namespace } }: Manifest) => {
  const [version = '', group] = apiVersion.split('/').reverse()
  return { ...(group === undefined ? {} : { group }), version, kind, name, ...(namespace === undefined ? {} : { namespace }) }
}

/**
 * Each patch names its target, so that it is skipped if another component has removed the target. Annotations are merged, because another
 * component may have created the map that a JSON patch would replace.
 */
function patchesOf (before: Manifest, after: Manifest | undefined): object[] {
  const target = targetOf(before)
  if (!after) return [{ target, patch: yamlOf({ $patch: 'delete', ...headOf(before) }) }]
  const { annotations, ...metadata } = after.metadata
  const operations = jsonPatch(before, { ...after, metadata })
  const head = headOf(before)
  return [
    ...(annotations ? [{ target, patch: yamlOf({ ...head, metadata: { ...head.metadata, annotations } }) }] : []),
    ...(operations.length > 0 ? [{ target, patch: yamlOf(operations) }] : []),
  ]
}

/** The objects that a component adds to the previous installation, and its patches. */
function component (name: ComponentName): Record<string, string> {
  const { includes: included } = components[name]
  const includes = included === undefined ? [] : [included]
  const before = new Map(manifestsOf(withComponents(includes)).map(({ manifest }) => [identity(manifest), manifest]))
  const after = manifestsOf(withComponents([name]))
  const added = filesOf(after.filter(({ manifest }) => !before.has(identity(manifest))))
  const kept = new Map(after.map(({ manifest }) => [identity(manifest), manifest]))
  const patches = [...before].flatMap(([key, manifest]) => patchesOf(manifest, kept.get(key)))
  return inFolder(`manifests/components/${name}`, new Map([...added, ['kustomization.yaml', kustomization('Component', {
    ...(includes.length > 0 ? { components: includes.map(one => `../${one}`) } : {}),
    ...(added.size > 0 ? { resources: [...added.keys()] } : {}),
    ...(patches.length > 0 ? { patches } : {}),
  })]]))
}

const overlay = (name: ComponentName) => ({
  [`manifests/overlays/${name}/kustomization.yaml`]:
    kustomization('Kustomization', { resources: ['../../default'], components: [`../../components/${name}`] }),
})

const componentNames = Object.keys(components) as ComponentName[]
/** Monitoring is an addition to an installation, and not an installation. */
const overlays = componentNames.filter(name => name !== 'monitoring')

/** The kustomize installations, by folder. */
export const kustomizeInstallations: Readonly<Record<string, Installation>> = {
  'manifests/default': defaultInstallation,
  ...Object.fromEntries(overlays.map(name => [`manifests/overlays/${name}`, withComponents([name])])),
}

export const kustomizeFiles = (): Record<string, string> =>
  Object.assign(base('manifests/default'), ...componentNames.map(component), ...overlays.map(overlay)) as Record<string, string>
