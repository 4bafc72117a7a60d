import { acknowledgeAnnotation } from '../dittoserver/api.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'

/** Maximum number of characters of the annotation that are read: all rule IDs fit. */
const longest = 1024

const annotationOf = ({ metadata: { annotations } }: DittoServer): string => {
  const value = Object.hasOwn(annotations, acknowledgeAnnotation) ? annotations[acknowledgeAnnotation] : undefined
  return typeof value === 'string' ? value.slice(0, longest) : ''
}

/** Whether the annotation contains the rule: `dittofs.dittofs.com/acknowledge: PG-DISABLE`. */
export const acknowledges = (server: DittoServer, id: string): boolean =>
  annotationOf(server).split(',').some(part => part.trim() === id)

/** Whether this change acknowledges the rule. An annotation from an earlier change does not count. */
export const acknowledgesNow = (server: DittoServer, old: DittoServer | undefined, id: string): boolean =>
  acknowledges(server, id) && (old === undefined || annotationOf(server) !== annotationOf(old))
