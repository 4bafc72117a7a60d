import type { KubernetesObject } from '../../cluster/kubernetes-object.ts'
import { jwtReference, jwtSecret, managedJwtKey } from '../../render/jwt-secret.ts'
import { childNames } from '../../render/names.ts'
import { postgresEnvSecret } from '../../render/postgres-env-secret.ts'
import { known, present, type Observed } from '../observed.ts'
import type { Step } from '../step.ts'
import { withDigest } from '../applied-digest.ts'
import { contains } from './contains.ts'
import { immutableDifferences } from './immutable-fields.ts'
import { digestOf } from './inputs.ts'
import { isOwned } from './ownership.ts'
import type { Part } from './part.ts'
import { foreignObject, unknownObject } from './problem.ts'
import { replace } from './replacement.ts'
import { remove, settle, update, type Settled } from './settle.ts'

/**
 * The Secrets that the operator creates: the signing key, and an external connection split into its parts. All other Secrets of the pod
 * belong to the user.
 */
export function secrets (observed: Observed): Part {
  if (observed.secrets.state === 'unknown') return unknownObject(observed.secrets.reason)
  const all = [signingKey(observed), connection(observed)]
  const foreign = all.find(each => each.foreign)?.foreign
  const unknown = all.find(each => each.unknown !== undefined)?.unknown
  const steps = all.flatMap(each => each.steps)
  if (foreign) return foreignObject(foreign, steps)
  if (unknown !== undefined) return unknownObject(unknown)
  // The hash of the configuration depends on the results of these steps.
  return steps.length > 0 ? { condition: 'ConfigReady', steps, stop: { why: 'continues' } } : { condition: 'ConfigReady', steps }
}

/** Created once: a different key would end every session. */
function signingKey (observed: Observed): Settled {
  const { server, secrets: read, newSigningKey } = observed
  const { name, managed } = jwtReference(server)
  if (!managed) return { steps: [] }
  const rendered = jwtSecret(server, newSigningKey)
  const found = known(observed, 'Secret', name)
  switch (found.state) {
    case 'unknown': return { steps: [], unknown: found.reason }
    case 'absent':
    case 'unlisted': return { steps: [{ do: 'create', kind: 'Secret', name, object: rendered }] }
    case 'present': {
      if (!isOwned(server, found.object)) return { steps: [], foreign: { kind: 'Secret', name } }
      if (read.state !== 'read' || read.secrets.get(name)?.data?.[managedJwtKey]) return { steps: [] }
      if (read.secrets.get(name)?.immutable) return { steps: replace('Secret', rendered, found.object) }
      const { uid, resourceVersion } = found.object.metadata
      return { steps: [{ do: 'patch', kind: 'Secret', name, patch: { metadata: { uid, resourceVersion }, stringData: rendered.stringData } }] }
    }
  }
}

function connection (observed: Observed): Settled {
  const { server, secrets: read } = observed
  const name = childNames(server.metadata.name).postgresEnvSecret
  const digest = digestOf(observed)
  if (digest?.externalPostgres !== 'url') return { steps: remove(observed, 'Secret', name) }
  // The connection is known only if the Secrets were read in this pass. If they were not read, nothing has changed.
  if (!digest.connection || read.state !== 'read') return { steps: [] }
  const rendered = postgresEnvSecret(server, digest.connection) as unknown as KubernetesObject
  const current = present(observed, 'Secret', name)
  const asRead = read.secrets.get(name)
  if (!current || !asRead || !isOwned(server, current) || current.metadata.deletionTimestamp) return settle(observed, 'Secret', rendered)
  if (immutableDifferences({ ...current, ...asRead }, rendered).length > 0) return { steps: replace('Secret', withDigest(rendered), current) }
  const isEdited = !contains(rendered.data, asRead.data)
  return isEdited ? { steps: repair(rendered, current) } : settle(observed, 'Secret', rendered)
}

/** The digest may match although the data does not, if another client edited the Secret. */
function repair (rendered: KubernetesObject, current: KubernetesObject): readonly Step[] {
  const { annotations: _, ...metadata } = current.metadata
  return update('Secret', withDigest(rendered), { ...current, metadata })
}
