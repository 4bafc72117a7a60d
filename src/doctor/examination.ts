import type { ApiClient } from '../cluster/api-client.ts'
import { findObject } from '../cluster/find-object.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { resourcePath, type Resource } from '../cluster/resource-path.ts'

/** What one step found. */
export interface Diagnosis {
  readonly healthy: 'yes' | 'no' | 'unknown'
  /** What was seen, or what is wrong. */
  readonly detail: string
  /** A command, or one sentence, that mends it. */
  readonly fix?: string
}

export interface Patient {
  readonly client: ApiClient
  /** Namespace of the operator. */
  readonly namespace: string
  readonly signal: AbortSignal
}

/** One thing to look at. Rejections are for what the API server refuses to tell. */
export interface Step {
  readonly title: string
  readonly examine: (patient: Patient) => Promise<Diagnosis>
}

export const well = (detail: string): Diagnosis => ({ healthy: 'yes', detail })
export const ill = (detail: string, fix: string): Diagnosis => ({ healthy: 'no', detail, fix })
export const unclear = (detail: string, fix?: string): Diagnosis => ({ healthy: 'unknown', detail, ...(fix ? { fix } : {}) })

/** Undefined: it does not exist. @throws any other refusal */
export async function find (
  { client, signal }: Patient, resource: Resource, name: string, namespace?: string,
): Promise<KubernetesObject | undefined> {
  return await findObject(client, resourcePath(resource, { name, ...(namespace === undefined ? {} : { namespace }) }), { signal })
}
