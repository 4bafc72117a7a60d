import type { KubernetesObject } from '../cluster/kubernetes-object.ts'

interface PodSpec {
  readonly hostNetwork?: boolean
  readonly serviceAccountName?: string
  readonly containers?: readonly { readonly image?: string, readonly args?: readonly string[] }[]
  readonly volumes?: readonly { readonly name: string, readonly secret?: { readonly secretName?: string } }[]
}
interface PodTemplate {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>> }
  readonly spec?: PodSpec
}
/** The parts of a Deployment that the doctor reads. */
export interface FoundDeployment extends KubernetesObject {
  readonly spec?: { readonly replicas?: number, readonly template?: PodTemplate }
  readonly status?: { readonly availableReplicas?: number, readonly updatedReplicas?: number }
}
