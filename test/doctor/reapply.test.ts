import t from 'tap'
import { haveSameTool, reapplyOf } from '../../src/doctor/reapply.ts'
import { defaultInstallation, type Installation } from '../../src/manifests/install/installation.ts'

const of = (metadata: object, changes: Partial<Installation> = {}, replicas = 2) => reapplyOf(
  { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'dittofs-operator', namespace: 'dittofs-system', ...metadata }, spec: { replicas } },
  { ...defaultInstallation, ...changes },
)

t.test('kustomize: the default, an overlay, or a folder of one\'s own', async t => {
  t.match(of({}), /^kubectl apply --server-side -k manifests\/default, or/)
  t.match(of({}, { certificates: 'files' }), /-k manifests\/overlays\/files, or/)
  t.match(of({}, { watchNamespace: 'dittofs', secretAccess: 'get' }), /-k manifests\/overlays\/least-privilege, or/)
  t.match(of({}, { watchNamespace: 'other' }), /-k manifests\/overlays\/namespaced, with --watch-namespace=other as now/)
  t.match(of({}, { certificates: 'cert-manager' }, 3), /-k FOLDER, .* with the components cert-manager, ha$/)
})

t.test('Helm, by its annotations', async t => {
  const annotations = { 'meta.helm.sh/release-name': 'storage', 'meta.helm.sh/release-namespace': 'place' }
  t.equal(of({ annotations }), 'helm upgrade storage manifests/chart -n place --reset-then-reuse-values')
})

t.test('what GitOps tools apply is theirs to apply, also where it is a Helm release', async t => {
  t.match(of({ annotations: { 'argocd.argoproj.io/tracking-id': 'storage:apps/Deployment:a/b' } }), /^sync the Application storage of Argo CD/)
  t.match(of({ labels: { 'argocd.argoproj.io/instance': 'storage' } }), /^sync the Application storage of Argo CD/)
  const labels = { 'helm.toolkit.fluxcd.io/name': 'storage', 'helm.toolkit.fluxcd.io/namespace': 'flux' }
  t.match(of({ labels, annotations: { 'meta.helm.sh/release-name': 'storage' } }), /^flux reconcile helmrelease storage -n flux/)
  t.match(of({ labels: { 'kustomize.toolkit.fluxcd.io/name': 'apps' } }), /^flux reconcile kustomization apps -n flux-system/)
})

t.test('whether two objects are applied by the same tool', async t => {
  const object = (metadata: object = {}) => ({ apiVersion: 'v1', kind: 'A', metadata: { name: 'a', ...metadata } })
  const helm = object({ annotations: { 'meta.helm.sh/release-name': 'storage' } })
  const flux = object({ labels: { 'helm.toolkit.fluxcd.io/name': 'storage' }, annotations: { 'meta.helm.sh/release-name': 'storage' } })
  const all = [object(), helm, flux]
  for (const one of all) {
    for (const other of all) t.equal(haveSameTool(one, other), one === other)
  }
})
