import { readFileSync } from 'node:fs'

const serviceAccountNamespace = '/var/run/secrets/kubernetes.io/serviceaccount/namespace'

/**
 * The namespace of the current pod; undefined outside a pod.
 * https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/#directly-accessing-the-rest-api
 */
export function ownNamespace (): string | undefined {
  const { POD_NAMESPACE: namespace = '' } = process.env
  if (namespace !== '') return namespace
  try {
    return readFileSync(serviceAccountNamespace, 'utf8').trim() || undefined
  } catch {
    return undefined
  }
}
