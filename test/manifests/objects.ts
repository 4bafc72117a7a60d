import { isDeepStrictEqual } from 'node:util'
import type { Test } from 'tap'
import { parse } from 'yaml'
import type { Installation } from '../../src/manifests/install/installation.ts'
import type { Manifest } from '../../src/manifests/install/manifest.ts'
import { manifestsOf } from '../../src/manifests/install/parts.ts'

const known = new Map<string, Manifest | null>()

/** Objects of a stream of YAML. Most documents of two installations are the same: each is parsed once. */
export const read = (text: string): Manifest[] => text.split(/^---\n/m).flatMap(document => {
  const found = known.get(document)
  const object = found === undefined ? parse(document) as Manifest | null : found
  known.set(document, object)
  return object ?? []
})

export const objectsOf = (installation: Installation) => manifestsOf(installation).map(({ manifest }) => manifest)

export const identity = ({ apiVersion, kind, metadata: { namespace = '', name } }: Manifest) => `${apiVersion} ${kind} ${namespace}/${name}`

/** Objects by their identity, so that the order does not matter. */
export const byIdentity = (manifests: readonly Manifest[]) =>
  Object.fromEntries(manifests.map(manifest => [identity(manifest), manifest] as const).sort(([a], [b]) => a < b ? -1 : 1))

/** The same as `strictSame`, but a hundred times faster if there is no difference. */
export function same (t: Pick<Test, 'pass' | 'strictSame'>, found: readonly Manifest[], wanted: readonly Manifest[], message: string): void {
  const [a, b] = [byIdentity(found), byIdentity(wanted)]
  if (isDeepStrictEqual(a, b)) t.pass(message)
  else t.strictSame(a, b, message)
}
