// A pod as the API has it, as far as this node looks at it. https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/

export interface Metadata {
  readonly name: string
  readonly namespace: string
  readonly uid: string
  readonly generation?: number
  readonly resourceVersion?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly deletionTimestamp?: string
  readonly deletionGracePeriodSeconds?: number
}

export interface Pod {
  readonly metadata: Metadata
  readonly spec: PodSpec
  readonly status?: PodStatus
}

export interface PodSpec {
  readonly nodeName?: string
  readonly restartPolicy?: 'Always' | 'OnFailure' | 'Never'
  readonly terminationGracePeriodSeconds?: number
  readonly securityContext?: SecurityContext & { readonly fsGroup?: number, readonly supplementalGroups?: readonly number[] }
  readonly initContainers?: readonly ContainerSpec[]
  readonly containers: readonly ContainerSpec[]
  readonly volumes?: readonly Volume[]
  readonly serviceAccountName?: string
}

export interface SecurityContext {
  readonly runAsUser?: number
  readonly runAsGroup?: number
  readonly runAsNonRoot?: boolean
  readonly allowPrivilegeEscalation?: boolean
  readonly capabilities?: { readonly drop?: readonly string[] }
}

export interface ContainerSpec {
  readonly name: string
  readonly image: string
  readonly imagePullPolicy?: 'Always' | 'IfNotPresent' | 'Never'
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly workingDir?: string
  readonly ports?: readonly { readonly name?: string, readonly containerPort: number }[]
  readonly env?: readonly Variable[]
  readonly envFrom?: readonly EnvironmentSource[]
  readonly volumeMounts?: readonly VolumeMount[]
  readonly securityContext?: SecurityContext
  readonly startupProbe?: Probe
  readonly livenessProbe?: Probe
  readonly readinessProbe?: Probe
  readonly lifecycle?: { readonly preStop?: Hook }
  readonly terminationMessagePath?: string
  readonly terminationMessagePolicy?: 'File' | 'FallbackToLogsOnError'
}

export interface VolumeMount { readonly name: string, readonly mountPath: string, readonly subPath?: string, readonly readOnly?: boolean }

export interface Hook { readonly sleep?: { readonly seconds: number }, readonly exec?: { readonly command: readonly string[] } }

export interface KeyReference { readonly name: string, readonly key: string, readonly optional?: boolean }

export interface Variable {
  readonly name: string
  readonly value?: string
  readonly valueFrom?: {
    readonly secretKeyRef?: KeyReference
    readonly configMapKeyRef?: KeyReference
    readonly fieldRef?: { readonly fieldPath: string }
  }
}

export interface EnvironmentSource {
  readonly prefix?: string
  readonly secretRef?: { readonly name: string, readonly optional?: boolean }
  readonly configMapRef?: { readonly name: string, readonly optional?: boolean }
}

export interface Probe {
  readonly httpGet?: {
    readonly path?: string
    readonly port: number | string
    readonly scheme?: 'HTTP' | 'HTTPS'
    readonly httpHeaders?: readonly { readonly name: string, readonly value: string }[]
  }
  readonly tcpSocket?: { readonly port: number | string }
  readonly exec?: { readonly command: readonly string[] }
  readonly initialDelaySeconds?: number
  readonly periodSeconds?: number
  readonly timeoutSeconds?: number
  readonly successThreshold?: number
  readonly failureThreshold?: number
  readonly terminationGracePeriodSeconds?: number
}

export interface Item { readonly key: string, readonly path: string, readonly mode?: number }

interface Items { readonly items?: readonly Item[], readonly optional?: boolean }
interface Mode { readonly defaultMode?: number }

export interface Volume {
  readonly name: string
  readonly persistentVolumeClaim?: { readonly claimName: string }
  readonly configMap?: Items & Mode & { readonly name: string }
  readonly secret?: Items & Mode & { readonly secretName: string }
  readonly emptyDir?: { readonly medium?: string }
  readonly projected?: {
    readonly defaultMode?: number
    readonly sources: readonly {
      readonly configMap?: Items & { readonly name: string }
      readonly secret?: Items & { readonly name: string }
    }[]
  }
}

export interface Terminated {
  readonly exitCode: number
  readonly reason: string
  readonly message?: string
  readonly startedAt: string
  readonly finishedAt: string
  readonly containerID: string
}

export interface Waiting { readonly reason: string, readonly message?: string }

/** Exactly one of them. */
export interface ContainerState {
  readonly waiting?: Waiting
  readonly running?: { readonly startedAt: string }
  readonly terminated?: Terminated
}

export interface ContainerStatus {
  readonly name: string
  readonly image: string
  readonly imageID: string
  readonly containerID?: string
  readonly state: ContainerState
  readonly lastState: ContainerState
  readonly ready: boolean
  readonly started: boolean
  readonly restartCount: number
}

export interface PodCondition {
  readonly type: string
  readonly status: 'True' | 'False'
  readonly reason?: string | null
  readonly message?: string | null
  readonly lastTransitionTime?: string
  readonly observedGeneration?: number
}

export type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed'

export interface PodStatus {
  readonly observedGeneration?: number
  readonly hostIP?: string
  readonly hostIPs?: readonly { readonly ip: string }[]
  readonly podIP?: string
  readonly podIPs?: readonly { readonly ip: string }[]
  readonly phase?: Phase
  readonly conditions?: readonly PodCondition[]
  readonly containerStatuses?: readonly ContainerStatus[]
  readonly initContainerStatuses?: readonly ContainerStatus[]
  readonly startTime?: string
}

/** As kubelet names a pod in its messages. */
export const podReference = ({ metadata: { name, namespace, uid } }: Pod) => `${name}_${namespace}(${uid})`
