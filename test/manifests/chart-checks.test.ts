import t from 'tap'
import { findHelm, helmTemplate, noHelm } from './helm.ts'

// Values that do not fit together: each is refused with one sentence that names them.

const base64 = (text: string) => Buffer.from(text).toString('base64')
const caBundle = base64('-----BEGIN CERTIFICATE-----')
const budget = (replicaCount: number, podDisruptionBudget: object) => ({ replicaCount, podDisruptionBudget })
const certificates = (value: object) => ({ certificates: value })

const refused: readonly (readonly [values: object, sentence: RegExp])[] = [
  [budget(2, { minAvailable: 2 }), /podDisruptionBudget\.minAvailable is 2 and replicaCount is 2: no node could be drained/],
  [budget(3, { minAvailable: '100%' }), /podDisruptionBudget\.minAvailable is 100%: no node could be drained/],
  [budget(3, { minAvailable: 1, maxUnavailable: 1 }), /podDisruptionBudget: minAvailable and maxUnavailable are both set/],
  [budget(3, { maxUnavailable: 0 }), /podDisruptionBudget\/maxUnavailable/],
  [{ drainPeriodSeconds: 60 }, /terminationGracePeriodSeconds is 60: .* drainPeriodSeconds \(60\) plus webhook\.timeoutSeconds \(5\)/],
  [{ healthPort: 9443 }, /webhook\.port and healthPort are both 9443: they must differ/],
  [{ watchNamespace: 'a', webhook: { namespaceSelector: { matchLabels: { a: 'b' } } } }, /webhook\.namespaceSelector is set, and so is watchNamespace/],
  [{ watchNamespace: 'Not A Name' }, /watchNamespace/],
  [{ serviceAccount: { create: false } }, /serviceAccount\.create is false: serviceAccount\.name must name/],
  [certificates({ caBundle }), /certificates\.caBundle is set with certificates\.mode self/],
  [certificates({ mode: 'files', caBundle: base64('no certificate') }), /certificates\.caBundle is not a PEM certificate in base64/],
  [certificates({ secretName: 'mine' }), /certificates\.secretName is set with certificates\.mode self/],
  [certificates({ mode: 'files', secretName: 'dittofs-operator-tls' }), /certificates\.secretName is dittofs-operator-tls: .* must have another name/],
  [certificates({ mode: 'files', issuerRef: { name: 'x' } }), /certificates\.issuerRef is set with certificates\.mode files/],
  [certificates({ mode: 'cert-manager', issuerRef: { kind: 'Issuer' } }), /certificates\.issuerRef has no name/],
  [certificates({ mode: 'cert-manager', duration: '24h', renewBefore: '48h' }), /certificates\.renewBefore is 48h and certificates\.duration is 24h/],
  [certificates({ mode: 'cert-manager', duration: 'a year' }), /certificates\/duration/],
  [{ extraArgs: ['--watch-namespace=other'] }, /extraArgs: --watch-namespace is set by the value watchNamespace/],
  [{ extraArgs: ['--rule=a=b', '--no-controller'] }, /extraArgs: --no-controller is set by the value controller\.enabled/],
  [{ extraEnv: [{ name: 'POD_NAMESPACE', value: 'x' }] }, /extraEnv: POD_NAMESPACE is set by the chart/],
  [{ extraVolumes: [{ name: 'tls' }] }, /extraVolumes: the chart has a volume tls of its own/],
  [{ podLabels: { 'app.kubernetes.io/name': 'x' } }, /podLabels: the label app\.kubernetes\.io\/name is set by the chart/],
  [{ monitoring: { serviceMonitor: { labels: { 'app.kubernetes.io/part-of': 'x' } } } }, /monitoring\.serviceMonitor\.labels: the label .*part-of is set by the chart/],
  [{ networkPolicy: { apiServerPorts: [] } }, /networkPolicy\/apiServerPorts/],
  [{ image: { digest: 'sha256:short' } }, /image\/digest/],
  [{ webhook: { failurePolicy: 'Fail' } }, /additional properties 'failurePolicy' not allowed/],
]

const helm = await findHelm()
t.test('invalid combinations of values', { skip: helm ? false : noHelm }, async t => {
  for (const [values, sentence] of refused) await t.rejects(helmTemplate(helm ?? '', values), { message: sentence }, JSON.stringify(values))
})
