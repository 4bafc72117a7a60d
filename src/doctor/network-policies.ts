import { BlockList, isIPv6 } from 'node:net'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { defaultInstallation } from '../manifests/install/installation.ts'
import { find, list, ok, several, unknown, warning, type Patient, type Step } from './examination.ts'
import { installed, valueOf } from './installed.ts'
import { selects, type LabelSelector } from './label-selector.ts'

// The API server is not a pod, so a policy cannot select it by labels. Network plugins also treat its traffic differently. So this step
// can only report a suspicion, never a definite fault.

interface Port { readonly protocol?: string, readonly port?: number | string, readonly endPort?: number }
interface Peer {
  readonly ipBlock?: { readonly cidr: string, readonly except?: readonly string[] }
  readonly namespaceSelector?: LabelSelector
}
interface Rule { readonly ports?: readonly Port[], readonly from?: readonly Peer[], readonly to?: readonly Peer[] }
export interface Policy extends KubernetesObject {
  readonly spec?: {
    readonly podSelector?: LabelSelector
    readonly policyTypes?: readonly string[]
    readonly ingress?: readonly Rule[]
    readonly egress?: readonly Rule[]
  }
}
/** An address and port where the API server listens. */
export interface Endpoint { readonly address: string, readonly port: number }

export interface Situation {
  readonly policies: readonly Policy[]
  /** Labels of the pods of the operator. */
  readonly labels: Readonly<Record<string, string>>
  readonly webhookPort: number
  /** Empty: unknown. */
  readonly apiServer: readonly Endpoint[]
}

type Direction = 'Ingress' | 'Egress'

/** https://kubernetes.io/docs/concepts/services-networking/network-policies/ */
const applies = ({ spec: { policyTypes, egress } = {} }: Policy, direction: Direction) =>
  policyTypes?.includes(direction) ?? (direction === 'Ingress' || egress !== undefined)

function covers (ports: readonly Port[] | undefined, wanted: number, name?: string): boolean {
  return !ports?.length || ports.some(({ protocol = 'TCP', port, endPort }) => {
    if (protocol !== 'TCP') return false
    if (typeof port === 'number') return port <= wanted && wanted <= (endPort ?? port)
    return port === undefined || port === name
  })
}

function isIn (address: string, cidr: string): boolean {
  const [net = '', prefix = ''] = cidr.split('/')
  const block = new BlockList()
  block.addSubnet(net, Number(prefix), isIPv6(net) ? 'ipv6' : 'ipv4')
  return block.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

/** Reviews may come from pods of another namespace, for example Konnectivity agents, and from addresses that are not known here. */
const admitsReviews = (port: number) => ({ ports, from }: Rule) =>
  covers(ports, port, 'webhook') && (!from?.length || from.some(({ ipBlock, namespaceSelector }) => ipBlock ?? namespaceSelector))

const reaches = ({ address, port }: Endpoint) => ({ ports, to }: Rule) =>
  covers(ports, port) && (!to?.length || to.some(({ ipBlock }) =>
    ipBlock && isIn(address, ipBlock.cidr) && !ipBlock.except?.some(cidr => isIn(address, cidr))))

/** Used if the addresses of the API server are unknown: any rule with an address range may allow them. */
const leadsOut = ({ to }: Rule) => !to?.length || to.some(({ ipBlock }) => ipBlock !== undefined)

/** The ways in which policies may block traffic between the operator and the API server, each with the names of the policies. Pure. */
export function suspicions ({ policies, labels, webhookPort, apiServer }: Situation): string[] {
  const selecting = (direction: Direction) =>
    policies.filter(policy => applies(policy, direction) && selects(policy.spec?.podSelector ?? {}, labels))
  const names = (found: readonly Policy[]) => several(found.map(({ metadata }) => metadata.name))
  const [ingress, egress] = [selecting('Ingress'), selecting('Egress')]
  const admits = ingress.flatMap(({ spec }) => spec?.ingress ?? []).some(admitsReviews(webhookPort))
  const out = egress.flatMap(({ spec }) => spec?.egress ?? [])
  const isReached = apiServer.length === 0 ? out.some(leadsOut) : apiServer.some(one => out.some(reaches(one)))
  const where = apiServer.map(({ address, port }) => `${isIPv6(address) ? `[${address}]` : address}:${port}`)
  return [
    ...(ingress.length === 0 || admits
      ? []
      : [`ingress: ${names(ingress)} allow no traffic from outside the namespace to port ${webhookPort}, where reviews arrive`]),
    ...(egress.length === 0 || isReached
      ? []
      : [`egress: ${names(egress)} allow no traffic to the API server${where.length === 0 ? '' : ` at ${several(where)}`}`]),
  ]
}

const policies = { group: 'networking.k8s.io', version: 'v1', resource: 'networkpolicies' }
const slices = { group: 'discovery.k8s.io', version: 'v1', resource: 'endpointslices' }

interface Slice extends KubernetesObject {
  readonly endpoints?: readonly { readonly addresses?: readonly string[] }[] | null
  readonly ports?: readonly { readonly port?: number }[] | null
}

/** The API server maintains an EndpointSlice with its own addresses. */
async function apiServerOf (patient: Patient): Promise<Endpoint[]> {
  const slice = await find(patient, slices, 'kubernetes', 'default').catch(() => undefined) as Slice | undefined
  const addresses = (slice?.endpoints ?? []).flatMap(endpoint => endpoint.addresses ?? [])
  return addresses.flatMap(address => (slice?.ports ?? []).flatMap(({ port }) => port === undefined ? [] : [{ address, port }]))
}

export const networkPolicies: Step = {
  title: 'NetworkPolicy',
  looksAt: 'whether policies may cut the pods off from the API server: suspected only, as no policy can name the API server',
  examine: async patient => {
    const { namespace } = patient
    const own = await installed(patient)
    if (!own) return unknown('there is no Deployment, so it is not known which policies apply')
    const template = own.deployment.spec?.template
    if (template?.spec?.hostNetwork) return ok('the pods use the network of their node, to which none applies')
    const labels = template?.metadata?.labels ?? {}
    const all = await list<Policy>(patient, policies, { namespace })
    const found = all.filter(({ spec }) => selects(spec?.podSelector ?? {}, labels))
    if (found.length === 0) return ok('none selects the pods')
    const webhookPort = Number(valueOf(own.args, '--port') ?? defaultInstallation.ports.webhook)
    const doubts = suspicions({ policies: found, labels, webhookPort, apiServer: await apiServerOf(patient) })
    if (doubts.length === 0) return ok(`${several(found.map(({ metadata }) => metadata.name))} allow traffic from and to the API server`)
    const show = `kubectl -n ${namespace} describe networkpolicies`
    const trial = 'the traffic is blocked if the step Admission fails, or if the log of a pod says that the API server does not answer'
    return warning(`suspected, ${doubts.join('; ')}`, `${show}: ${trial} ("Network" in docs/install.md)`)
  },
}
