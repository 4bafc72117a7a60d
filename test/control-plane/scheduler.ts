import type { ServingFiles } from './controller-manager.ts'

export const schedulerArguments = (kubeconfig: string, port: number, certificates: ServingFiles) => [
  `--kubeconfig=${kubeconfig}`,
  // Its port is for the health check alone, which needs no log-in.
  `--tls-cert-file=${certificates.servingCert}`,
  `--tls-private-key-file=${certificates.servingKey}`,
  '--bind-address=127.0.0.1',
  `--secure-port=${port}`,
  '--leader-elect=false',
]
