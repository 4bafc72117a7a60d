import { group, kind } from '../dittoserver/api.ts'
import { groupOf, type Manifest } from '../embedded/manifests.ts'

export const isDittoServer = (manifest: Manifest): boolean => manifest.kind === kind && groupOf(manifest) === group

/** Whether the object was probably meant to be a DittoServer: there is no other kind in the group, and no other group with the kind. */
export const isMeantAsDittoServer = (manifest: Manifest): boolean =>
  groupOf(manifest).toLowerCase() === group || manifest.kind.toLowerCase() === kind.toLowerCase()
