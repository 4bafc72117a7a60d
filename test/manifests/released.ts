import { imageTag, type Installation } from '../../src/manifests/install/installation.ts'
import type { Manifest } from '../../src/manifests/install/manifest.ts'
import { version } from '../../src/version.ts'
import { objectsOf } from './objects.ts'

const ofRelease = { 'app.kubernetes.io/instance': 'dittofs-operator', 'app.kubernetes.io/version': imageTag, 'app.kubernetes.io/managed-by': 'Helm' }

interface Templated extends Manifest { readonly spec?: { readonly template?: { readonly metadata: { readonly labels: object } } } }

/** Labels and annotations that a release adds to all objects. */
export interface Common {
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

function withCommon (manifest: Templated, { labels = {}, annotations = {} }: Common): Manifest {
  const { metadata, spec, ...rest } = manifest
  // Pods have the labels without the version of the chart.
  const template = spec?.template &&
    { ...spec.template, metadata: { ...spec.template.metadata, labels: { ...spec.template.metadata.labels, ...ofRelease, ...labels } } }
  const all = { ...metadata.annotations, ...annotations }
  return {
    ...rest,
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, ...ofRelease, 'helm.sh/chart': `dittofs-operator-${version}`, ...labels },
      ...(Object.keys(all).length > 0 ? { annotations: all } : {}),
    },
    ...(spec ? { spec: template ? { ...spec, template } : spec } : {}),
  } as Manifest
}

const definition = 'CustomResourceDefinition'

/** The objects of a release: without the namespace, which Helm makes itself, and with a definition that outlives it. */
export const released = (installation: Installation, common: Common = {}): Manifest[] => objectsOf(installation)
  .filter(({ kind }) => kind !== 'Namespace')
  .map(manifest => manifest.kind === definition
    ? { ...manifest, metadata: { ...manifest.metadata, annotations: { 'helm.sh/resource-policy': 'keep' } } }
    : withCommon(manifest, common))
