import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import type { Installation } from '../manifests/install/installation.ts'
import type { FoundDeployment } from './found-deployment.ts'

/**
 * How to update the Deployment with Argo CD or Flux, which overwrite manual changes. They are recognised by the labels and annotations
 * that they set. Undefined: neither of them manages the Deployment.
 */
function gitOpsOf ({ annotations = {}, labels = {} }: KubernetesObject['metadata']): string | undefined {
  const [application] = annotations['argocd.argoproj.io/tracking-id']?.split(':') ?? [labels['argocd.argoproj.io/instance']]
  if (application !== undefined) return `sync the Application ${application} of Argo CD, in whose repository the manifests must be those of this version`
  for (const kind of ['helm', 'kustomize']) {
    const called = labels[`${kind}.toolkit.fluxcd.io/name`]
    const place = labels[`${kind}.toolkit.fluxcd.io/namespace`] ?? 'flux-system'
    if (called !== undefined) return `flux reconcile ${kind === 'helm' ? 'helmrelease' : 'kustomization'} ${called} -n ${place}, once its source has this version`
  }
  return undefined
}

function kustomizeOf ({ spec }: FoundDeployment, { certificates, watchNamespace, secretAccess }: Installation): string {
  const components = [
    ...(certificates === 'self' ? [] : [certificates]),
    ...(watchNamespace === undefined ? [] : [secretAccess === 'get' ? 'least-privilege' : 'namespaced']),
    ...((spec?.replicas ?? 1) > 2 ? ['ha'] : []),
  ]
  if (components.length > 1) return `kubectl apply --server-side -k FOLDER, your kustomization of manifests/default with the components ${components.join(', ')}`
  const [only] = components
  const folder = only === undefined ? 'manifests/default' : `manifests/overlays/${only}`
  const other = watchNamespace !== undefined && watchNamespace !== 'dittofs' ? `, with --watch-namespace=${watchNamespace} as now` : ''
  return `kubectl apply --server-side -k ${folder}${other}, or the overlay of yours that was applied`
}

// https://helm.sh/docs/topics/advanced/
const releaseOf = ({ annotations = {} }: KubernetesObject['metadata']) => annotations['meta.helm.sh/release-name']

/** Whether the same sort of tool applies both objects, by the marks that it sets. Pure. */
export function haveSameTool (...objects: readonly [KubernetesObject, KubernetesObject]): boolean {
  const [one, other] = objects.map(({ metadata }) => gitOpsOf(metadata) !== undefined ? 'GitOps' : releaseOf(metadata) !== undefined ? 'Helm' : 'kubectl')
  return one === other
}

/** How to apply the manifests of this version, with the tool that installed the Deployment. Pure. */
export function reapplyOf (deployment: FoundDeployment, installation: Installation): string {
  const { metadata } = deployment
  const gitOps = gitOpsOf(metadata)
  if (gitOps !== undefined) return gitOps
  const release = releaseOf(metadata)
  const { 'meta.helm.sh/release-namespace': place = metadata.namespace } = metadata.annotations ?? {}
  return release === undefined
    ? kustomizeOf(deployment, installation)
    : `helm upgrade ${release} manifests/chart -n ${place ?? ''} --reset-then-reuse-values`
}
