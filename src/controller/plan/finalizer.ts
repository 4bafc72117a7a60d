import { finalizer as ours } from '../../dittoserver/api.ts'
import { nothing, type Part } from './part.ts'
import type { Observed } from '../observed.ts'

/** No object is created before the finalizer is set: it makes a deletion wait for the operator. */
export function finalizer ({ object, server: { metadata: { name, finalizers } } }: Observed): Part {
  if (finalizers.includes(ours)) return nothing
  const { resourceVersion } = object.metadata
  return { steps: [{ do: 'patch', kind: 'DittoServer', name, patch: { metadata: { resourceVersion, finalizers: [...finalizers, ours] } } }] }
}
