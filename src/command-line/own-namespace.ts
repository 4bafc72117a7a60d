import { readFileSync } from 'node:fs'

const serviceAccountNamespace = '/var/run/secrets/kubernetes.io/serviceaccount/namespace'

/**
 * Of the pod this process runs in; undefined outside of one.
 * https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/#directly-accessing-the-rest-api
 */
export function ownNamespace (): string | undefined {
  const { POD_NAMESPACE: told = '' } = process.env
  if (told !== '') return told
  try {
    return readFileSync(serviceAccountNamespace, 'utf8').trim() || undefined
  } catch {
    return undefined
  }
}
