import type { ApiClient } from '../cluster/api-client.ts'
import { findObject } from '../cluster/find-object.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { resourcePath, type Resource } from '../cluster/resource-path.ts'

/**
 * `ok`: checked and correct. `warning`: it works, but not as well as it should. `wrong`: it does not work. `unknown`: it could not be
 * checked, which does not mean that it is correct.
 */
export type Status = 'ok' | 'warning' | 'wrong' | 'unknown'

/** The result of one step. */
export interface Diagnosis {
  readonly status: Status
  /** What the step found, or what is wrong. */
  readonly detail: string
  /** A command that corrects the problem, or one sentence that says how. */
  readonly fix?: string
}

export interface Patient {
  readonly client: ApiClient
  /** Namespace of the operator. */
  readonly namespace: string
  readonly signal: AbortSignal
  /** What was read, by path and query. Each object and list is read once, so that all steps see the same state. */
  readonly read: Map<string, Promise<unknown>>
}

/** One check. It rejects if the API server refuses a request. */
export interface Step {
  readonly title: string
  /** What the step checks, for the table in docs/troubleshooting.md. */
  readonly looksAt: string
  readonly examine: (patient: Patient) => Promise<Diagnosis>
}

export const ok = (detail: string): Diagnosis => ({ status: 'ok', detail })
export const warning = (detail: string, fix: string): Diagnosis => ({ status: 'warning', detail, fix })
export const wrong = (detail: string, fix: string): Diagnosis => ({ status: 'wrong', detail, fix })
export const unknown = (detail: string, fix?: string): Diagnosis => ({ status: 'unknown', detail, ...(fix ? { fix } : {}) })

/** Undefined: the object does not exist. @throws if the API server refuses the request for another reason */
export async function find (
  patient: Patient, resource: Resource, name: string, namespace?: string,
): Promise<KubernetesObject | undefined> {
  const { client, signal } = patient
  const path = resourcePath(resource, { name, ...(namespace === undefined ? {} : { namespace }) })
  return await once(patient, path, () => findObject(client, path, { signal }))
}

async function once<Value> ({ read }: Patient, key: string, load: () => Promise<Value>): Promise<Value> {
  const loaded = (read.get(key) ?? load()) as Promise<Value>
  read.set(key, loaded)
  return await loaded
}

interface Selection { readonly namespace?: string, readonly labelSelector?: string }

/** The objects of one namespace, or of all namespaces if none is given. */
export async function list<Item> (patient: Patient, resource: Resource, selection: Selection = {}): Promise<readonly Item[]> {
  const { client, signal } = patient
  const { namespace, labelSelector } = selection
  const path = resourcePath(resource, namespace === undefined ? {} : { namespace })
  const query = labelSelector === undefined ? {} : { labelSelector }
  const { items } = await once(patient, `${path}?${labelSelector ?? ''}`, async () =>
    await client.request<{ items: readonly Item[] }>({ verb: 'list', method: 'GET', path, query, signal }))
  return items
}

/** The first names of a list in one line, with the number of the others. */
export function several (names: readonly string[], most = 5): string {
  const more = names.length - most
  return `${names.slice(0, most).join(', ')}${more > 0 ? `, and ${more} more` : ''}`
}
