import { certificateSecret, labels } from '../install/installation.ts'

/** Flags that are set by a value, with that value. A second setting would contradict the permissions and ports of the first. */
const flags = {
  '--port': 'webhook.port',
  '--health-port': 'healthPort',
  '--log-level': 'logLevel',
  '--drain-period': 'drainPeriodSeconds',
  '--cert-mode': 'certificates.mode',
  '--tls-dir': 'certificates.mode',
  '--tls-secret': 'certificates.secretName',
  '--no-controller': 'controller.enabled',
  '--watch-namespace': 'watchNamespace',
  '--secret-access': 'secretAccess',
  '--client-ca': 'clientCertificates.required',
}

const ofChart = Object.keys(labels)
const labelValues = ['commonLabels', 'podLabels', ...['serviceMonitor', 'prometheusRule', 'dashboard'].map(part => `monitoring.${part}.labels`)]

const quoted = (words: readonly string[]) => words.map(word => `"${word}"`).join(' ')

/** A condition, and the message with which Helm refuses the values, with its arguments. */
const check = (when: string, ...sentence: readonly string[]) =>
  `{{- if ${when} }}{{ fail (printf ${sentence.map((part, index) => index === 0 ? `"${part}"` : part).join(' ')}) }}{{ end }}`

/** Combinations of values that are invalid. The schema checks each single value. */
const ofValues = [
  '{{- $budget := .Values.podDisruptionBudget }}{{ $replicas := int .Values.replicaCount }}{{ $certificates := .Values.certificates }}',
  check('and $budget.minAvailable $budget.maxUnavailable',
    'podDisruptionBudget: minAvailable and maxUnavailable are both set; Kubernetes accepts only one of them'),
  check('and $budget.enabled $budget.minAvailable (gt $replicas 1) (not (hasSuffix `%` (toString $budget.minAvailable))) (ge (int $budget.minAvailable) $replicas)',
    'podDisruptionBudget.minAvailable is %v and replicaCount is %d: no node could be drained; minAvailable must be less than replicaCount',
    '$budget.minAvailable', '$replicas'),
  check('and $budget.enabled (eq (toString $budget.minAvailable) `100%`)',
    'podDisruptionBudget.minAvailable is 100%%: no node could be drained'),
  check('lt (int .Values.terminationGracePeriodSeconds) (int (add .Values.drainPeriodSeconds .Values.webhook.timeoutSeconds))',
    'terminationGracePeriodSeconds is %d: it must be at least drainPeriodSeconds (%d) plus webhook.timeoutSeconds (%d), or a pod is killed while it answers',
    '(int .Values.terminationGracePeriodSeconds)', '(int .Values.drainPeriodSeconds)', '(int .Values.webhook.timeoutSeconds)'),
  check('eq (int .Values.webhook.port) (int .Values.healthPort)', 'webhook.port and healthPort are both %d: they must differ', '(int .Values.healthPort)'),
  check('and .Values.watchNamespace .Values.webhook.namespaceSelector',
    'webhook.namespaceSelector is set, and so is watchNamespace, which already selects the namespace: set only one of them'),
  check('and (not .Values.serviceAccount.create) (not .Values.serviceAccount.name)',
    'serviceAccount.create is false: serviceAccount.name must name a ServiceAccount that you create'),
  check('and $certificates.caBundle (ne $certificates.mode `files`)',
    'certificates.caBundle is set with certificates.mode %s: it is only for mode files; in other modes the caBundle is filled in for you', '$certificates.mode'),
  check('and $certificates.caBundle (not (contains `-----BEGIN CERTIFICATE-----` (b64dec $certificates.caBundle)))',
    'certificates.caBundle is not a PEM certificate in base64: base64 -w0 ca.crt prints the right value'),
  check('and $certificates.secretName (eq $certificates.mode `self`)',
    `certificates.secretName is set with certificates.mode self: the operator keeps its certificate in the Secret ${certificateSecret}`),
  check(`and (eq $certificates.mode \`files\`) (eq $certificates.secretName \`${certificateSecret}\`)`,
    `certificates.secretName is ${certificateSecret}: with the mode files it must have another name, because pods of the mode self would overwrite that one`),
  check('and $certificates.issuerRef (ne $certificates.mode `cert-manager`)',
    'certificates.issuerRef is set with certificates.mode %s: it is only for mode cert-manager', '$certificates.mode'),
  check('and $certificates.issuerRef (not $certificates.issuerRef.name)', 'certificates.issuerRef has no name'),
  check('le (int (regexFind `^[0-9]+` $certificates.duration)) (int (regexFind `^[0-9]+` $certificates.renewBefore))',
    'certificates.renewBefore is %s and certificates.duration is %s: renewBefore must be less than duration',
    '$certificates.renewBefore', '$certificates.duration'),
]

/** `templates/checks.yaml`: it renders no object. */
export const checks = (): string => [
  ...ofValues,
  `{{- $flags := dict ${Object.entries(flags).map(pair => quoted(pair)).join(' ')} }}`,
  '{{- range .Values.extraArgs }}{{ $flag := regexFind "^--[a-z-]+" . }}{{ $value := get $flags $flag }}',
  check('$value', 'extraArgs: %s is set by the value %s', '$flag', '$value'),
  '{{- end }}',
  '{{- range .Values.extraEnv }}',
  check('eq .name `POD_NAMESPACE`', 'extraEnv: POD_NAMESPACE is set by the chart'),
  '{{- end }}',
  '{{- range .Values.extraVolumes }}',
  check('has .name (list `tls` `client-ca`)', 'extraVolumes: the chart has a volume %s of its own', '.name'),
  '{{- end }}',
  `{{- range $value, $labels := dict ${labelValues.map(path => `"${path}" .Values.${path}`).join(' ')} }}`,
  `{{- range $label := list ${quoted(ofChart)} }}`,
  check('hasKey $labels $label', '%s: the label %s is set by the chart, which selects its objects by it', '$value', '$label'),
  '{{- end }}',
  '{{- end }}',
  '',
].join('\n')
