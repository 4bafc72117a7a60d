import { kinds } from '../cluster/kinds.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { certificateSecret, defaultInstallation, name, type Certificates, type Installation } from '../manifests/install/installation.ts'
import { webhookKinds, webhookResource } from '../tls/self/webhook-trust.ts'
import { find, list, type Patient } from './examination.ts'
import { reapplyOf } from './reapply.ts'
import type { FoundDeployment } from './found-deployment.ts'

export const deployments = { group: 'apps', version: 'v1', resource: 'deployments' }

/** The installation, as derived from its Deployment. */
export interface Installed {
  readonly deployment: FoundDeployment
  readonly args: readonly string[]
  readonly image: string
  readonly installation: Installation
  /** Name of the Secret with the serving certificate. */
  readonly certificateSecret: string | undefined
  /** The command that applies the manifests of this version, with the tool that was used for the installation. */
  readonly reapply: string
}

/** The value of a flag. The arguments have the form `--flag=value`. */
export const valueOf = (args: readonly string[], flag: string): string | undefined =>
  args.find(arg => arg.startsWith(`${flag}=`))?.slice(flag.length + 1)

/** Undefined: the Deployment does not exist. @throws if the API server refuses the request */
export async function installed (patient: Patient): Promise<Installed | undefined> {
  const deployment = await find(patient, deployments, name, patient.namespace) as FoundDeployment | undefined
  if (!deployment) return undefined
  const { serviceAccountName = name, containers = [], volumes = [] } = deployment.spec?.template?.spec ?? {}
  const { args = [], image = '' } = containers[0] ?? {}
  const certificates = valueOf(args, '--cert-mode') === 'files' ? await ofFiles(patient) : 'self'
  const installation = installationFrom(args, patient.namespace, certificates, serviceAccountName)
  return {
    deployment,
    args,
    image,
    installation,
    certificateSecret: certificates === 'self'
      ? valueOf(args, '--tls-secret') ?? certificateSecret
      : volumes.find(volume => volume.name === 'tls')?.secret?.secretName,
    reapply: reapplyOf(deployment, installation),
  }
}

/** The DittoServers that the installation manages: those of its namespace, or all. */
export async function watchedServers<Server extends KubernetesObject> (patient: Patient): Promise<readonly Server[]> {
  const watched = (await installed(patient))?.installation.watchNamespace
  return await list<Server>(patient, kinds.DittoServer, watched === undefined ? {} : { namespace: watched })
}

/** For messages: `namespace/name`. */
export const fullName = ({ metadata: { namespace = '', name } }: KubernetesObject): string => `${namespace}/${name}`

/** The source of the certificate files. It is cert-manager if the validating configuration has an annotation for its injector. */
async function ofFiles (patient: Patient): Promise<Certificates> {
  // If the configuration cannot be read, the step that checks it reports the reason.
  const found = await find(patient, webhookResource(webhookKinds[1]), name).catch(() => undefined)
  return Object.keys(found?.metadata.annotations ?? {}).some(key => key.startsWith('cert-manager.io/inject-')) ? 'cert-manager' : 'files'
}

function installationFrom (args: readonly string[], namespace: string, certificates: Certificates, account: string): Installation {
  const watchNamespace = valueOf(args, '--watch-namespace')
  return {
    ...defaultInstallation,
    namespace,
    controller: !args.includes('--no-controller'),
    secretAccess: valueOf(args, '--secret-access') === 'get' ? 'get' : 'watch',
    certificates,
    serviceAccount: { create: true, name: account },
    ...(watchNamespace === undefined ? {} : { watchNamespace }),
  }
}
