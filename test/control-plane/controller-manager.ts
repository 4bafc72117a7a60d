/**
 * The controllers that act on what the operator makes, or on what it leaves behind. Those that need nodes or a cloud are left out:
 * they would only use up processor time.
 */
const controllers = [
  'statefulset-controller',
  'deployment-controller',
  'replicaset-controller',
  'disruption-controller',
  'garbage-collector-controller',
  'namespace-controller',
  'serviceaccount-controller',
  // Fills the roles that are sums of others: view, edit, admin.
  'clusterrole-aggregation-controller',
  'root-ca-certificate-publisher-controller',
  'endpointslice-controller',
  'persistentvolume-binder-controller',
  'persistentvolume-expander-controller',
  // Without these two the finalizers that the API server puts on volumes and claims stay for ever.
  'persistentvolumeclaim-protection-controller',
  'persistentvolume-protection-controller',
]

export const controllerManagerArguments = (kubeconfig: string, port: number, certificates: { servingCert: string, servingKey: string }) => [
  `--kubeconfig=${kubeconfig}`,
  `--controllers=${controllers.join()}`,
  // Its port is for the health check alone, which needs no log-in.
  `--tls-cert-file=${certificates.servingCert}`,
  `--tls-private-key-file=${certificates.servingKey}`,
  '--bind-address=127.0.0.1',
  `--secure-port=${port}`,
  '--leader-elect=false',
  // The defaults, 20 and 30, spread the start over seconds.
  '--kube-api-qps=200',
  '--kube-api-burst=400',
]
