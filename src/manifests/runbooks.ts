import type { alerts } from './install/alerts.ts'

type AlertName = typeof alerts[number]['alert']

const pods = '`kubectl -n dittofs-system get pods -o wide` and `kubectl -n dittofs-system get events --sort-by=.lastTimestamp`'
const log = '`kubectl -n dittofs-system logs -l app.kubernetes.io/name=dittofs-operator --tail=200 --prefix`'
const permissions = '`kubectl auth can-i --list --as=system:serviceaccount:dittofs-system:dittofs-operator`'
const configurations = '`kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations dittofs-operator -o yaml`'
const bypass = 'If changes of DittoServers cannot wait, remove the webhook for the time being: [emergency bypass](operations.md#emergency-bypass).'
const report = 'Report the log line as a bug. It contains the cause and the stack.'

/** The steps for the person on call, for each alert. Markdown. */
export const runbooks: Readonly<Record<AlertName, readonly string[]>> = {
  DittofsOperatorDown: [
    `Find out why no pod answers: ${pods}. Pending: no node has room, or all nodes are tainted. ImagePullBackOff: the image or the pull Secret is wrong. CrashLoopBackOff: see the next step.`,
    `Read the log of the last process: ${log}, with \`--previous\` for a process that has ended.`,
    'If the pods run and are ready, Prometheus cannot reach them: check the target in Prometheus, the ServiceMonitor and the NetworkPolicy.',
    bypass,
  ],
  DittofsOperatorNotReady: [
    'Find the reason: the label `reason` of `dittofs_operator_ready == 0`, or the log line `not ready`.',
    '`NoCertificate` or `CertificateNotValid`: see [certificates](certificates.md). In mode `self`, delete the Secret `dittofs-operator-tls`: the operator creates a new one at once. ' +
    'In mode `cert-manager`: `kubectl -n dittofs-system describe certificate`.',
    `\`CertificateNotTrusted\`: the webhook configuration has another CA bundle, or none. See ${configurations}. A GitOps tool may have restored an empty \`caBundle\`.`,
    bypass,
  ],
  DittofsOperatorNoReviews: [
    `Check that both configurations exist and name the Service: ${configurations}. If one is missing, apply the installation again.`,
    'Compare `rules`, `namespaceSelector` and `objectSelector` with the installation: a selector may exclude the namespaces in which DittoServers change.',
    'The reconcile loop checks DittoServers that were stored without a review: `kubectl get dittoservers -A` shows `SpecRefused` for those that it refuses.',
  ],
  DittofsOperatorImpaired: [
    'Reviews are answered, so this can wait until morning. Find the reason: the label `reason`, or the log line `impaired`.',
    '`MutatingWebhookNotTrusting`: defaults are not filled in. Follow the step for `CertificateNotTrusted` of [DittofsOperatorNotReady](#dittofsoperatornotready).',
    `\`CertificateSecretNotSeen\`: a permission on the Secret is missing, or the API server is unreachable. See ${permissions}.`,
  ],
  DittofsOperatorNoLeader: [
    'Find the holder of the Lease: `kubectl -n dittofs-system get lease dittofs-operator -o yaml`. If the holder no longer runs, its Lease expires and another replica takes over.',
    `If no replica takes over, read the log: ${log}. Most often the permission on Leases is missing, or the API server is slower than the renewal deadline.`,
    'Running servers and the webhook are not affected. Changes are carried out once there is a leader again.',
  ],
  DittofsOperatorWatchStale: [
    `Find the kind in the label \`kind\`. If its CRD or a permission on it is missing, the log says so: ${log}.`,
    `Compare the permissions with the installation: ${permissions}; the doctor lists what is missing.`,
    'If every kind is stale, the pod cannot reach the API server: check the health of the API server, DNS and the NetworkPolicy.',
  ],
  DittofsOperatorQueueStuck: [
    `Save the log first: ${log}.`,
    'Check whether the API server answers: `rest_client_request_duration_seconds` and `rest_client_requests_total` by code. If it does not, the queue continues as soon as it answers again.',
    'Otherwise restart the operator: `kubectl -n dittofs-system rollout restart deployment/dittofs-operator`. The new leader continues the work. Report the incident as a bug.',
  ],
  DittofsOperatorReconcileErrors: [
    'Find the servers: the log lines `reconcile failed, will retry` name them. `kubectl -n NAMESPACE describe dittoserver NAME` shows events and conditions.',
    '`forbidden`: a permission or a quota. `admission webhook … denied`: a policy of the cluster refuses an object, and the message names the policy. `timeout`: the API server is slow.',
    'The operator retries automatically, at least once a minute. No restart is needed after the cause is fixed.',
  ],
  DittofsOperatorWebhookErrors: [
    'Find the code: `sum by (code) (rate(controller_runtime_webhook_requests_total[5m]))`.',
    '429: more concurrent reviews than a replica accepts. Run `kubectl -n dittofs-system scale deployment/dittofs-operator --replicas=3`, and find out which client sends them.',
    `5xx: a bug, or the operator cannot read from the cluster. See log lines of level \`error\`: ${log}.`,
    'Other 4xx: a client other than the API server sends requests. See [callers](callers.md).',
  ],
  DittofsOperatorWebhookFaults: [
    `Find the log line \`review failed\`: ${log}.`,
    report,
    'The DittoServer was refused with an internal error. The same change will fail again: change the spec in smaller steps to find the field, or use the bypass.',
    bypass,
  ],
  DittofsOperatorWebhookSlow: [
    'Find the slow lookup: `dittofs_operator_lookup_seconds` by `kind`. If all kinds are slow, the API server or etcd is slow.',
    'Check whether the pod is throttled: `container_cpu_cfs_throttled_periods_total`. If so, raise or remove its CPU limit.',
    'A review waits for lookups for 3 s at most. After that, the answer contains a warning that something could not be verified.',
  ],
  DittofsOperatorCertificateExpiring: [
    'Mode `self`: the log of the leader says why it was not renewed. After `kubectl -n dittofs-system delete secret dittofs-operator-tls` the operator creates a new certificate.',
    'Mode `cert-manager`: `kubectl -n dittofs-system describe certificate dittofs-operator-webhook`, and the log of cert-manager.',
    'Mode `files`: renew the Secret yourself. The operator reads it again within a minute; no restart is needed.',
  ],
  DittofsOperatorCAExpiring: [
    'Only mode `self` has its own CA. The log of the leader says why it was not renewed.',
    'After `kubectl -n dittofs-system delete secret dittofs-operator-tls` the operator creates a new CA and a new certificate. Reviews continue: both CAs are trusted during the change.',
  ],
  DittofsOperatorCertificateRefused: [
    `Find out what is wrong with it: see lines with \`certificate\` in ${log}. The key may not belong to the certificate, or the certificate is not valid yet.`,
    'Put a valid pair into the Secret. Until then the last valid pair is served.',
  ],
  DittofsOperatorCABundleNotInjected: [
    `Check the permissions on webhook configurations: ${permissions}. The doctor lists what is missing.`,
    `Check that both exist: ${configurations}. If one is missing, apply the installation again.`,
  ],
}
