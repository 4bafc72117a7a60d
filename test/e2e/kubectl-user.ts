import { eventually, type ControlPlane } from '../control-plane/control-plane.ts'

/** Any object of the cluster, as far as tests look into it. */
export interface Found {
  metadata: {
    name: string,
    uid: string,
    resourceVersion: string,
    generation: number,
    deletionTimestamp?: string,
    annotations?: Record<string, string>,
    labels?: Record<string, string>,
    ownerReferences?: { uid: string }[],
    finalizers?: string[],
  }
  spec: Record<string, unknown>
  data?: Record<string, string>
  status?: { phase?: string, observedGeneration?: number, conditions?: Condition[] }
}

export interface Condition { type: string, status: string, reason: string, message: string, observedGeneration?: number }

export interface FoundService extends Found {
  spec: { type: string, clusterIP: string, ports: { name: string, port: number, targetPort: string }[] }
}

interface Variable { name: string, valueFrom?: { secretKeyRef: { name: string, key: string } } }

interface Container { name: string, image: string, env: Variable[] }

export interface FoundStatefulSet extends Found {
  spec: {
    replicas: number
    template: { metadata: { annotations: Record<string, string> }, spec: { containers: [Container], initContainers?: Container[] } }
    volumeClaimTemplates: { metadata: { name: string }, spec: { resources: { requests: { storage: string } } } }[]
  }
}

export interface FoundPod extends Found { spec: { containers: [Container] } }

export interface FoundClaim extends Found {
  spec: { resources: { requests: { storage: string } } }
  status?: Found['status'] & { capacity?: { storage: string } }
}

export const serverOf = (name: string, spec: object = {}) => ({
  apiVersion: 'dittofs.dittofs.com/v1alpha1', kind: 'DittoServer', metadata: { name }, spec: { storage: { metadataSize: '10Gi' }, ...spec },
})

/** Someone who works on the namespace `default` with kubectl. */
export function kubectlUser ({ kubectl }: Pick<ControlPlane, 'kubectl'>) {
  /** @throws the error message of kubectl */
  const run = async (args: readonly string[], input?: string) => {
    const { code, stdout, stderr } = await kubectl(args, input)
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`)
    return stdout
  }
  /** Undefined: not there, or its kind is not. @throws any other failure */
  const get = async <Value extends Found = Found>(kind: string, name: string): Promise<Value | undefined> => {
    const { code, stdout, stderr } = await kubectl(['get', kind, name, '-o', 'json', '--ignore-not-found'])
    if (code !== 0 && !stderr.includes("doesn't have a resource type")) throw new Error(stderr)
    return stdout ? JSON.parse(stdout) as Value : undefined
  }
  const patch = async (kind: string, name: string, change: object, ...args: string[]) =>
    await run(['patch', kind, name, '--type=merge', '-p', JSON.stringify(change), ...args])

  /** Until the object is as `test` wants it. */
  const awaitObject = async <Value extends Found = Found>(
    kind: string, name: string, test: (object: Value) => unknown, what: string, milliseconds?: number,
  ) => {
    let last: Value | undefined
    return await eventually(async () => {
      last = await get<Value>(kind, name)
      return last && test(last) ? last : undefined
    }, `${kind} ${name}: ${what}`, milliseconds).catch((error: unknown) => {
      throw new Error(`${(error as Error).message}; it was ${JSON.stringify(last, undefined, 1)}`)
    })
  }

  return {
    run,
    get,
    patch,
    awaitObject,
    apply: async (object: object) => await run(['apply', '-f', '-'], JSON.stringify(object)),
    awaitGone: async (kind: string, name: string, milliseconds?: number) =>
      await eventually(async () => await get(kind, name) === undefined, `${kind} ${name} is gone`, milliseconds),
    /** Waits until the condition has this status and reason, for the current generation of the spec. */
    awaitCondition: async (name: string, type: string, status: string, reason: string, milliseconds?: number): Promise<Condition> => {
      const matches = (condition: Condition) => condition.type === type && condition.status === status && condition.reason === reason
      const is = ({ metadata, status: { observedGeneration, conditions = [] } = {} }: Found) =>
        observedGeneration === metadata.generation && conditions.find(matches)
      const server = await awaitObject('dittoserver', name, is, `${type}=${status}, ${reason}`, milliseconds)
      return is(server) as Condition
    },
    /** Until an event of this reason about the object has been recorded. */
    awaitEvent: async (name: string, type: string, reason: string) => await eventually(async () => {
      const selector = `regarding.name=${name},type=${type},reason=${reason}`
      const stdout = await run(['get', 'events.v1.events.k8s.io', '--field-selector', selector, '-o', 'json'])
      return (JSON.parse(stdout) as { items: unknown[] }).items.length > 0
    }, `the event ${type} ${reason} about ${name}`),
  }
}
