import t from 'tap'
import { parse } from 'yaml'
import { executableFiles, executablePlatforms } from '../../release/executable.ts'
import { krewManifest } from '../../release/krew.ts'
import { version } from '../../src/version.ts'

// The rules of https://krew.sigs.k8s.io/docs/developer-guide/plugin-manifest/ and of the validation of krew.

interface Platform {
  readonly selector: { readonly matchLabels: Readonly<Record<string, string>> }
  readonly uri: string
  readonly sha256: string
  readonly bin: string
  readonly files: readonly { readonly from: string, readonly to: string }[]
}
interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: Readonly<Record<string, unknown>>
  readonly spec: Readonly<Record<string, unknown>> & { readonly platforms: readonly Platform[] }
}

const fields = ['version', 'homepage', 'shortDescription', 'description', 'caveats', 'platforms']
const platformFields = ['selector', 'uri', 'sha256', 'bin', 'files']

/** One sentence for each rule that a manifest breaks. */
function faultsOf ({ apiVersion, kind, metadata, spec }: Manifest): string[] {
  const needs = (isFine: boolean, what: string) => isFine ? [] : [what]
  const selectors = spec.platforms.map(({ selector }) => JSON.stringify(selector))
  return [
    ...needs(apiVersion === 'krew.googlecontainertools.github.com/v1alpha2', 'apiVersion'),
    ...needs(kind === 'Plugin', 'kind'),
    ...needs(/^[\w-]+$/.test(String(metadata.name)), 'metadata.name'),
    ...needs(/^v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/.test(String(spec.version)), 'spec.version is a semantic version with a v'),
    ...needs(typeof spec.shortDescription === 'string' && spec.shortDescription.length > 0 && spec.shortDescription.length <= 50, 'spec.shortDescription'),
    ...Object.keys(spec).filter(key => !fields.includes(key)).map(key => `spec.${key} is unknown`),
    ...needs(spec.platforms.length > 0, 'spec.platforms'),
    ...needs(new Set(selectors).size === selectors.length, 'no two platforms for the same machine'),
    ...spec.platforms.flatMap(platform => [
      ...Object.keys(platform).filter(key => !platformFields.includes(key)).map(key => `platforms.${key} is unknown`),
      ...needs(/^(linux|darwin|windows)$/.test(platform.selector.matchLabels.os ?? ''), 'os'),
      ...needs(/^(amd64|arm64)$/.test(platform.selector.matchLabels.arch ?? ''), 'arch'),
      ...needs(URL.canParse(platform.uri) && /\.(tar\.gz|zip)$/.test(platform.uri), 'uri'),
      ...needs(/^[a-f0-9]{64}$/.test(platform.sha256), 'sha256'),
      ...needs(platform.files.length > 0 && platform.files.some(({ from }) => from === platform.bin), 'bin is one of the files'),
      ...needs(platform.files.some(({ from }) => from === 'LICENSE'), 'the licence is installed, too'),
    ]),
  ]
}

const sums = executablePlatforms.map((platform, index) => ({ ...platform, sha256: String(index).repeat(64) }))
const manifest = (platforms: typeof sums) =>
  parse(krewManifest({ platforms, files: executableFiles, repository: 'https://code.example.com/files/operator' })) as Manifest

t.test('the manifest for krew', async t => {
  const made = manifest(sums)
  t.strictSame(faultsOf(made), [])
  t.equal(made.metadata.name, 'dittofs', 'kubectl-dittofs')
  t.equal(made.spec.platforms.length, 4)
  const [first] = made.spec.platforms
  t.match(first, { selector: { matchLabels: { os: 'linux', arch: 'amd64' } }, bin: 'dittofs-operator', sha256: '0'.repeat(64) })
  t.equal(first?.uri, `https://code.example.com/files/operator/releases/download/v${version}/dittofs-operator-linux-amd64.tar.gz`)
})

t.test('the rules find faults', async t => {
  t.strictSame(faultsOf(manifest([])), ['spec.platforms'])
  const [one] = sums
  if (!one) throw new Error('none')
  t.strictSame(faultsOf(manifest([{ ...one, sha256: 'x' }, one])), ['no two platforms for the same machine', 'sha256'])
})
