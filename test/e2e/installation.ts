import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { parseAllDocuments } from 'yaml'
import { defaultInstallation, type Installation } from '../../src/manifests/install/installation.ts'
import { manifestsOf } from '../../src/manifests/install/parts.ts'
import type { ControlPlane } from '../control-plane/control-plane.ts'
import type { InstalledObject } from './grants.ts'

// The tasks of the kubelet and kube-proxy for an installation, as far as processes on this machine need them.

export const manifestFolder = (name: string) => fileURLToPath(new URL(`../../manifests/${name}`, import.meta.url))

export const documents = (text: string): InstalledObject[] =>
  parseAllDocuments(text).flatMap(document => (document.toJS() as InstalledObject | null) ?? [])

/** The operator's ServiceAccount, by the names that the manifests give it. */
export const serviceAccount = { namespace: 'dittofs-system', name: 'dittofs-operator' }

/** The name that the API server uses. */
export const serviceAccountUser = `system:serviceaccount:${serviceAccount.namespace}:${serviceAccount.name}`

/** An address of this machine that an EndpointSlice may hold: loopback is not. */
export const ownAddress = () => Object.values(networkInterfaces()).flat()
  .find(found => found && found.family === 'IPv4' && !found.internal)?.address

/** The same. Without one there is nothing to test. */
export function ownAddressOrSkip (t: Pick<Test, 'plan'>): string | undefined {
  const address = ownAddress()
  if (address === undefined) t.plan(0, 'no network but loopback, which an endpoint may not have')
  return address
}

/** A cluster whose CA is in the file `certs/ca.crt` of the folder. */
export type Reachable = Pick<ControlPlane, 'folder' | 'server' | 'kubectl'>

/** A kubeconfig with only the token of a ServiceAccount; bound to a pod, if the pod exists. */
export async function serviceAccountKubeconfig ({ folder, server, kubectl }: Reachable, pod?: string): Promise<string> {
  const bound = pod === undefined ? [] : ['--bound-object-kind', 'Pod', '--bound-object-name', pod]
  const args = ['create', 'token', serviceAccount.name, '-n', serviceAccount.namespace, '--duration', '1h', ...bound]
  const { code, stdout, stderr } = await kubectl(args)
  if (code !== 0) throw new Error(stderr)
  const path = join(folder, `service-account-${randomUUID()}.kubeconfig`)
  await writeFile(path, JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'cluster', cluster: { server, 'certificate-authority': join(folder, 'certs', 'ca.crt') } }],
    users: [{ name: serviceAccount.name, user: { token: stdout.trim() } }],
    contexts: [{ name: 'pod', context: { cluster: 'cluster', user: serviceAccount.name } }],
    'current-context': 'pod',
  }), { mode: 0o600 })
  return path
}

/** Whether the operators of the tests may touch the namespace `default` alone. */
export const isNamespaced = process.env.OPERATOR_SCOPE === 'namespaced' || process.env.OPERATOR_SCOPE === 'least-privilege'
/** Whether they may read Secrets by name only. */
export const secretAccess = process.env.OPERATOR_SCOPE === 'least-privilege' ? 'get' : 'watch'

/** Kinds of objects that grant permissions. */
export const granting: ReadonlySet<string> = new Set(['Namespace', 'ServiceAccount', 'Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding'])

const watchNamespace = isNamespaced ? 'default' : undefined

/** The ServiceAccount, and the permissions of an installation: cluster-wide, or only in the namespace `default`. */
export async function grantRights ({ kubectl }: Reachable, installation: Pick<Installation, 'controller'> = defaultInstallation) {
  const { controller } = installation
  const place = watchNamespace === undefined ? {} : { watchNamespace }
  const items = manifestsOf({ ...defaultInstallation, controller, secretAccess, ...place })
    .map(({ manifest }) => manifest).filter(({ kind }) => granting.has(kind))
  const { code, stderr } = await kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
  if (code !== 0) throw new Error(stderr)
}

/** Flags for an operator that has a token of the ServiceAccount, and so the rights that were granted to it. */
export async function serviceAccountFlags (plane: Reachable, pod?: string): Promise<string[]> {
  const { namespace } = serviceAccount
  return [
    '--kubeconfig', await serviceAccountKubeconfig(plane, pod), '--leader-election-namespace', namespace, '--operator-namespace', namespace,
    ...(watchNamespace === undefined ? [] : ['--watch-namespace', watchNamespace]),
    '--secret-access', secretAccess,
  ]
}

/**
 * Flags for an operator with exactly the permissions of an installation: cluster-wide; with OPERATOR_SCOPE=namespaced, only in the
 * namespace `default`; with OPERATOR_SCOPE=least-privilege, also with Secrets by name only.
 */
export async function asServiceAccount (plane: Reachable): Promise<string[]> {
  await grantRights(plane)
  return await serviceAccountFlags(plane)
}

/** The arguments of the container in the Deployment. */
export function argumentsOf (objects: readonly InstalledObject[]): string[] {
  const deployment = objects.find(({ kind }) => kind === 'Deployment') as unknown as
    { spec: { template: { spec: { containers: [{ args: string[] }] } } } } | undefined
  const args = deployment?.spec.template.spec.containers[0].args ?? []
  return args.map(argument => argument.replace('$(POD_NAMESPACE)', serviceAccount.namespace))
}

/** A free port of an address. */
export async function freePortOf (host: string): Promise<number> {
  const server = createServer().listen(0, host)
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address ? address.port : 0
}

/** Leads requests for the webhook's Service to a process of this machine. The Service must be there. */
export const endpointSlice = (address: string, port: number) => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: {
    name: 'dittofs-operator-webhook-process',
    namespace: serviceAccount.namespace,
    labels: { 'kubernetes.io/service-name': 'dittofs-operator-webhook', 'endpointslice.kubernetes.io/managed-by': 'test' },
  },
  addressType: 'IPv4',
  endpoints: [{ addresses: [address], conditions: { ready: true, serving: true, terminating: false } }],
  ports: [{ name: 'webhook', port, protocol: 'TCP' }],
})
