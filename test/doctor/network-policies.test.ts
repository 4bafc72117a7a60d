import t from 'tap'
import { suspicions, type Endpoint, type Policy } from '../../src/doctor/network-policies.ts'
import { defaultInstallation, labels } from '../../src/manifests/install/installation.ts'
import { networkPolicy } from '../../src/manifests/install/network-policy.ts'

// Which policies may cut the operator off from the API server, and which do not.

const policy = (name: string, spec: object): Policy => ({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name }, spec })
const apiServer: readonly Endpoint[] = [{ address: '192.0.2.10', port: 6443 }, { address: '2001:db8::1', port: 6443 }]
const judge = (policies: readonly Policy[], known = apiServer) => suspicions({ policies, labels, webhookPort: 9443, apiServer: known }).join('\n')
const own = networkPolicy(defaultInstallation) as unknown as Policy
const everyPod = { podSelector: {} }
const ingress = (...rules: object[]) => policy('p', { ...everyPod, policyTypes: ['Ingress'], ingress: rules })
const egress = (...rules: object[]) => policy('p', { ...everyPod, policyTypes: ['Egress'], egress: rules })
const tcp = (port: number | string, more: object = {}) => ({ protocol: 'TCP', port, ...more })

const innocent: Readonly<Record<string, readonly Policy[]>> = {
  none: [],
  'that of the manifests': [own],
  'one that denies all, beside that of the manifests': [own, policy('deny', { ...everyPod, policyTypes: ['Ingress', 'Egress'] })],
  'one for other pods': [policy('other', { podSelector: { matchLabels: { app: 'other' } }, policyTypes: ['Ingress', 'Egress'] })],
  'one for other pods, by expressions': [
    policy('a', { podSelector: { matchExpressions: [{ key: 'app.kubernetes.io/name', operator: 'NotIn', values: ['dittofs-operator'] }] } }),
    policy('b', { podSelector: { matchExpressions: [{ key: 'app.kubernetes.io/name', operator: 'DoesNotExist' }] } }),
  ],
  'addresses of the control plane alone': [ingress({ from: [{ ipBlock: { cidr: '192.0.2.10/32' } }], ports: [tcp(9443)] })],
  'pods of another namespace, as with Konnectivity': [ingress({ from: [{ namespaceSelector: {} }], ports: [tcp('webhook')] })],
  'a range of ports': [ingress({ ports: [tcp(9000, { endPort: 9999 })] })],
  'every port': [ingress({}), egress({})],
  'the address of one API server': [egress({ to: [{ ipBlock: { cidr: '192.0.2.0/24', except: ['192.0.2.11/32'] } }], ports: [tcp(6443)] })],
  'the address of the other one': [egress({ to: [{ ipBlock: { cidr: '2001:db8::/32' } }] })],
  'an old one, without types': [policy('p', { ...everyPod, ingress: [{}] })],
}
for (const [what, policies] of Object.entries(innocent)) t.equal(judge(policies), '', what)
t.equal(judge([egress({ to: [{ ipBlock: { cidr: '10.0.0.0/8' } }], ports: [tcp(16443)] })], []), '', 'nobody knows where the API server is')

const closed = 'ingress: p allow no traffic from outside the namespace to port 9443, where reviews arrive'
const shut = 'egress: p allow no traffic to the API server at 192.0.2.10:6443, [2001:db8::1]:6443'
const suspected: Readonly<Record<string, readonly [Policy, string]>> = {
  'nothing comes in': [ingress(), closed],
  'from pods of the namespace alone': [ingress({ from: [{ podSelector: {} }] }), closed],
  'on another port': [ingress({ ports: [tcp(8081), tcp('metrics')] }), closed],
  'over another protocol': [ingress({ ports: [{ protocol: 'UDP', port: 9443 }] }), closed],
  'without types, ingress is meant': [policy('p', { ...everyPod }), closed],
  'nothing goes out': [egress(), shut],
  'to DNS alone': [egress({ ports: [tcp(53), { protocol: 'UDP', port: 53 }] }), shut],
  'to pods alone': [egress({ to: [{ namespaceSelector: {} }] }), shut],
  'to the Service of the API server, and not to what is behind it': [egress({ ports: [tcp(443)] }), shut],
  'to other addresses': [egress({ to: [{ ipBlock: { cidr: '192.0.2.0/24', except: ['192.0.2.8/29'] } }] }), shut],
}
for (const [what, [found, said]] of Object.entries(suspected)) t.equal(judge([found]), said, what)
t.equal(judge([egress({ to: [{ podSelector: {} }] })], []), 'egress: p allow no traffic to the API server', 'wherever that is')
