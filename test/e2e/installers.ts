import { realpathSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Test } from 'tap'
import { parseAllDocuments, stringify } from 'yaml'
import type { ApiClient } from '../../src/cluster/api-client.ts'
import type { Diagnosis } from '../../src/doctor/examination.ts'
import { examine } from '../../src/doctor/steps.ts'
import { eventually, type ControlPlane } from '../control-plane/control-plane.ts'
import { chart, runHelm } from '../manifests/helm.ts'
import { manifestFolder } from './installation.ts'
import type { kubectlUser } from './kubectl-user.ts'
import { giveFiles, pretendCertManager } from './pretend-cert-manager.ts'
import { pretendNodes, startInstalled } from './pretend-nodes.ts'

// Installations as a person makes them: with kustomize, Helm or Argo CD, and with the operator running by the rights that it was given.

const namespace = 'dittofs-system'

export const certificates = ['self', 'cert-manager', 'files'] as const
export const scopes = ['cluster', 'namespaced', 'least-privilege'] as const
export const replicas = [2, 1, 3] as const
export const tools = ['kustomize', 'helm', 'argo-cd'] as const
export interface Choice {
  readonly certificate: typeof certificates[number]
  readonly scope: typeof scopes[number]
  readonly count: typeof replicas[number]
  readonly by: typeof tools[number]
  /** Of the chart, besides. */
  readonly values?: object
}

export interface Site {
  readonly plane: ControlPlane
  readonly user: ReturnType<typeof kubectlUser>
  /** An address of this machine that the API server reaches. */
  readonly address: string
  /** Absent: nothing is installed by Helm. */
  readonly helm: string | undefined
  /** Its folders. */
  readonly own: string
}

/** What every cluster has before the operator is installed. */
export async function prepareSite (t: Pick<Test, 'teardown'>, { plane, user }: Site): Promise<void> {
  const { run, apply } = user
  for (const crds of ['cert-manager-crds.yaml', 'monitoring-crds.yaml']) await run(['create', '-f', manifestFolder(`../test/e2e/${crds}`)])
  for (const name of ['dittofs', namespace]) await run(['create', 'namespace', name])
  await apply({ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'standard' }, provisioner: 'example.com/none' })
  // As an API server writes it about itself, where its address is not loopback.
  await apply({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'kubernetes', namespace: 'default', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['192.0.2.10'], conditions: { ready: true } }],
    ports: [{ name: 'https', port: 6443, protocol: 'TCP' }],
  })
  pretendNodes(t, plane)
}

async function kustomization ({ own }: Site, { certificate, scope, count }: Choice): Promise<string> {
  const folder = join(own, [certificate, scope, count].join('-'))
  await mkdir(folder, { recursive: true })
  const from = (target: string) => relative(realpathSync(folder), manifestFolder(target))
  const components = [...certificate === 'self' ? [] : [certificate], ...scope === 'cluster' ? [] : [scope], ...count === 3 ? ['ha'] : []]
  await writeFile(join(folder, 'kustomization.yaml'), stringify({
    resources: [from('default')],
    components: components.map(name => from(`components/${name}`)),
    ...count === 1 ? { replicas: [{ name: 'dittofs-operator', count }] } : {},
  }))
  return folder
}

/** Applied as Argo CD does: rendered, with a mark of its own and without the labels. */
const tracked = (yaml: string) => parseAllDocuments(yaml).map(document => {
  const object = document.toJS() as { kind: string, metadata: { name: string, labels?: object, annotations?: object } }
  const mark = { 'argocd.argoproj.io/tracking-id': `storage:${object.kind}:${object.metadata.name}` }
  return stringify({ ...object, metadata: { ...object.metadata, labels: {}, annotations: { ...object.metadata.annotations, ...mark } } })
}).join('---\n')

/** Resolves with what takes it away again. */
async function install (site: Site, choice: Choice): Promise<() => Promise<unknown>> {
  const { plane, user: { run }, own, helm } = site
  if (choice.by === 'helm') {
    const home = { HELM_CACHE_HOME: join(own, 'cache'), HELM_CONFIG_HOME: join(own, 'config'), HELM_DATA_HOME: join(own, 'data') }
    const release = ['dittofs-operator', '--namespace', namespace, '--kubeconfig', plane.kubeconfig]
    const path = join(own, 'values.json')
    await writeFile(path, JSON.stringify({
      replicaCount: choice.count,
      certificates: { mode: choice.certificate },
      ...choice.scope === 'cluster' ? {} : { watchNamespace: 'dittofs', ...choice.scope === 'least-privilege' ? { secretAccess: 'get' } : {} },
      ...choice.values,
    }))
    const crd = (await run(['get', 'crd', '-o', 'name'])).includes('dittoservers') ? ['--take-ownership'] : []
    await runHelm(helm ?? '', ['install', ...release, chart, '--values', path, ...crd], home)
    return async () => await runHelm(helm ?? '', ['uninstall', ...release], home)
  }
  const folder = await kustomization(site, choice)
  const yaml = await run(['kustomize', folder])
  if (choice.by === 'kustomize') await run(['apply', '-k', folder])
  else await run(['apply', '--server-side', '--force-conflicts', '--field-manager=argocd-controller', '-f', '-'], tracked(yaml))
  const kept = new Set(['CustomResourceDefinition', 'Namespace'])
  const objects = parseAllDocuments(yaml).filter(document => !kept.has((document.toJS() as { kind: string }).kind))
  return async () => await run(['delete', '-f', '-', '--wait=true'], objects.map(String).join('---\n'))
}

/** Installs it, and starts the operator. */
export async function installAndStart (t: Pick<Test, 'teardown'>, site: Site, choice: Choice) {
  const { plane, user, address } = site
  const { run } = user
  const remove = await install(site, choice)
  // Where Pod Security is restricted, no pod uses the network of its node.
  if (choice.values) await run(['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce-'])
  if (choice.certificate === 'cert-manager') await pretendCertManager(user)
  if (choice.certificate === 'files') await giveFiles(user)
  const operator = await startInstalled(t, plane, address)
  await run(['-n', namespace, 'rollout', 'status', 'deployment/dittofs-operator', '--timeout=60s'])
  await eventually(async () => {
    const lease = await plane.kubectl(['-n', namespace, 'get', 'lease', 'dittofs-operator', '-o', 'jsonpath={.spec.holderIdentity}'])
    return lease.stdout !== '' || choice.values !== undefined
  }, 'it leads', 60_000)
  return { operator, remove }
}

export interface Found extends Diagnosis { readonly title: string }

/** What the doctor says. */
export async function look (client: ApiClient) {
  const found: Found[] = []
  for await (const { title, diagnosis } of examine({ client, namespace, signal: AbortSignal.timeout(60_000), read: new Map() })) {
    found.push({ title, ...diagnosis })
  }
  return { found, accused: found.filter(({ status }) => status === 'wrong' || status === 'warning') }
}
