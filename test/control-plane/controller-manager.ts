/**
 * The controllers that process the objects of the operator. Controllers that need nodes or a cloud are omitted, because they would only use
 * CPU time.
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
  // Without these two controllers, the finalizers that the API server sets on volumes and claims would never be removed.
  'persistentvolumeclaim-protection-controller',
  'persistentvolume-protection-controller',
]

/** If there are nodes: remove the not-ready taint, and delete the pods of deleted nodes. */
const nodeControllers = ['node-lifecycle-controller', 'taint-eviction-controller', 'pod-garbage-collector-controller']

/** Files for whatever serves on loopback. */
export interface ServingFiles { readonly servingCert: string, readonly servingKey: string }

export const controllerManagerArguments = (kubeconfig: string, port: number, certificates: ServingFiles, nodes: boolean) => [
  `--kubeconfig=${kubeconfig}`,
  `--controllers=${[...controllers, ...nodes ? nodeControllers : []].join()}`,
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
