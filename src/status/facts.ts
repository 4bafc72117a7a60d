import type { KindName } from '../cluster/kinds.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import type { Known } from '../controller/observed.ts'
import { readDittoServer, type DittoServer } from '../dittoserver/dittoserver.ts'
import type { Listed, Listing } from './listing.ts'

/** What is known about one server and its objects. */
export interface Facts {
  /** As stored. */
  readonly object: KubernetesObject
  /** The same object with all defaults filled in. */
  readonly server: DittoServer
  /** The object of a name, in the namespace of the server. */
  readonly find: (kind: KindName, name: string) => Known
  readonly now: Date
}

/** The facts about each server of a listing, by namespace and name. Pure. */
export function factsOf (listing: Listing, now: Date): Facts[] {
  const servers = objectsOf(listing.get('DittoServer'))
  const keyed = (found: Listed) => new Map(objectsOf(found).map(object => [keyOf(object.metadata), object]))
  const byKey = new Map([...listing].map(([kind, found]) => [kind, keyed(found)]))
  return servers
    .toSorted((a, b) => keyOf(a.metadata) < keyOf(b.metadata) ? -1 : 1)
    .map(object => ({
      object,
      server: readDittoServer(object).server,
      find: (kind, name) => {
        const found = listing.get(kind)
        if (found?.state === 'unknown') return { state: 'unknown', reason: found.reason }
        const one = byKey.get(kind)?.get(keyOf({ namespace: object.metadata.namespace, name }))
        return one ? { state: 'present', object: one } : { state: 'absent' }
      },
      now,
    }))
}

const objectsOf = (found: Listed | undefined) => found?.state === 'listed' ? found.objects : []
const keyOf = ({ namespace = '', name }: { readonly namespace?: string | undefined, readonly name: string }) => `${namespace}/${name}`
