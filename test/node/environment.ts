import type { ContainerSpec, EnvironmentSource, KeyReference, Pod, Variable } from './pod.ts'

/** Reads a ConfigMap or Secret of the pod's namespace: its data as text, or undefined if it is not there. */
export type ReadData = (kind: 'configmap' | 'secret', name: string) => Promise<ReadonlyMap<string, Buffer> | undefined>

/** Becomes `CreateContainerConfigError`, with kubelet's message. */
export class ConfigError extends Error {}

const titles = { configmap: 'ConfigMap', secret: 'Secret' } as const

/** The environment of a container, on top of `base`. @throws ConfigError */
export async function resolveEnvironment (
  pod: Pod, container: ContainerSpec, base: Readonly<Record<string, string>>, read: ReadData,
): Promise<Record<string, string>> {
  const result: Record<string, string> = { ...base }
  for (const source of container.envFrom ?? []) Object.assign(result, await fromSource(source, read))
  for (const variable of container.env ?? []) {
    const value = await valueOf(pod, variable, result, read)
    if (value !== undefined) result[variable.name] = value
  }
  return result
}

async function fromSource ({ prefix = '', secretRef, configMapRef }: EnvironmentSource, read: ReadData): Promise<Record<string, string>> {
  const kind = secretRef ? 'secret' : 'configmap'
  const reference = secretRef ?? configMapRef
  if (!reference) return {}
  const data = await read(kind, reference.name)
  if (!data && !reference.optional) throw new ConfigError(`${kind} "${reference.name}" not found`)
  return Object.fromEntries([...data ?? []].map(([key, value]) => [prefix + key, value.toString()]))
}

async function valueOf (pod: Pod, { name, value = '', valueFrom }: Variable, known: Readonly<Record<string, string>>, read: ReadData) {
  if (!valueFrom) return expand(value, known)
  const { fieldRef, secretKeyRef, configMapKeyRef } = valueFrom
  if (fieldRef) return field(pod, fieldRef.fieldPath)
  if (secretKeyRef) return await fromKey(pod, 'secret', secretKeyRef, read)
  if (configMapKeyRef) return await fromKey(pod, 'configmap', configMapKeyRef, read)
  throw new ConfigError(`${name}: this node reads Secrets, ConfigMaps and fields only`)
}

async function fromKey (pod: Pod, kind: 'configmap' | 'secret', { name, key, optional }: KeyReference, read: ReadData) {
  const data = await read(kind, name)
  if (!data && !optional) throw new ConfigError(`${kind} "${name}" not found`)
  const found = data?.get(key)
  if (data && !found && !optional) throw new ConfigError(`couldn't find key ${key} in ${titles[kind]} ${pod.metadata.namespace}/${name}`)
  return found?.toString()
}

/** https://kubernetes.io/docs/concepts/workloads/pods/downward-api/ */
function field ({ metadata, spec }: Pod, path: string): string {
  const [, map, key] = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path) ?? []
  if (map) return metadata[map as 'labels' | 'annotations']?.[key ?? ''] ?? ''
  const fields: Readonly<Record<string, string | undefined>> = {
    'metadata.name': metadata.name,
    'metadata.namespace': metadata.namespace,
    'metadata.uid': metadata.uid,
    'spec.nodeName': spec.nodeName,
    'spec.serviceAccountName': spec.serviceAccountName,
    'status.podIP': podIP,
    'status.hostIP': podIP,
  }
  const value = fields[path]
  if (value === undefined) throw new ConfigError(`unsupported fieldPath: ${path}`)
  return value
}

/** Every pod has the network of this machine. */
export const podIP = '127.0.0.1'

/** `$(NAME)` of a variable that is known; `$$` is one `$`. https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/ */
export const expand = (text: string, known: Readonly<Record<string, string>>): string =>
  text.replace(/\$(\$|\(([^)]+)\))/g, (whole, escaped: string, name?: string) =>
    escaped === '$' ? '$' : known[name ?? ''] ?? whole)
