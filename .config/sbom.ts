import { readFile } from 'node:fs/promises'
import { Contrib, Enums, Models, Serialize, Spec } from '@cyclonedx/cyclonedx-library'
import parseExpression from 'spdx-expression-parse'
import type { BundledPackage, PackageJson } from './bundled-packages.ts'

const licenses = new Contrib.License.Factories.LicenseFactory(parseExpression)
const { Builders: { ComponentBuilder }, Factories: { ExternalReferenceFactory } } = Contrib.FromNodePackageJson
const components = new ComponentBuilder(new ExternalReferenceFactory(), licenses)

/** https://github.com/package-url/purl-spec/blob/main/types-doc/npm-definition.md */
export const purl = ({ name, version }: PackageJson) => `pkg:npm/${name.replace('@', '%40')}@${version}`

function componentOf (manifest: PackageJson, type: Enums.ComponentType): Models.Component {
  const component = components.makeComponent({ ...manifest }, type)
  if (component === undefined) throw new Error(`${manifest.name}: not the name of a package`)
  component.purl = purl(manifest)
  component.bomRef.value = component.purl
  return component
}

/** CycloneDX as JSON: every package in the bundle, and its dependencies. The same packages give the same bytes. */
export async function sbom (packages: readonly BundledPackage[]): Promise<string> {
  const own = componentOf(JSON.parse(await readFile('package.json', 'utf8')) as PackageJson, Enums.ComponentType.Application)
  // One component if the same version is in two folders: the library would distinguish them by a random number.
  const byPurl = new Map(packages.map(({ manifest }) => [purl(manifest), componentOf(manifest, Enums.ComponentType.Library)]))
  const byFolder = new Map(packages.map(({ folder, manifest }) => [folder, byPurl.get(purl(manifest))]))
  const metadata = new Models.Metadata({ component: own })
  const bom = new Models.Bom({ metadata, components: new Models.ComponentRepository(byPurl.values()) })
  for (const { folder, loads, isDirect } of packages) {
    const component = byFolder.get(folder)
    if (component === undefined) continue
    if (isDirect) own.dependencies.add(component.bomRef)
    for (const loaded of loads) {
      const dependency = byFolder.get(loaded)
      if (dependency !== undefined) component.dependencies.add(dependency.bomRef)
    }
  }
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6))
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`
}
