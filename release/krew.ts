import { stringify } from 'yaml'
import { repository as ownRepository } from '../src/project.ts'
import { version } from '../src/version.ts'

/** An archive of an executable, and the platform it is for. */
export interface KrewPlatform {
  readonly system: string
  readonly architecture: string
  readonly file: string
  readonly sha256: string
}

/** `files`: those of the archive that krew keeps; the first one is the program. */
export interface KrewPlugin {
  readonly platforms: readonly KrewPlatform[]
  readonly files: readonly string[]
  /** URL of the source, where the release is published. */
  readonly repository?: string | undefined
}

/**
 * The manifest with which krew, the plugin manager of kubectl, installs the executable of a release as `kubectl dittofs`.
 * https://krew.sigs.k8s.io/docs/developer-guide/plugin-manifest/
 */
export function krewManifest ({ platforms, files, repository = ownRepository }: KrewPlugin): string {
  return stringify({
    apiVersion: 'krew.googlecontainertools.github.com/v1alpha2',
    kind: 'Plugin',
    metadata: { name: 'dittofs' },
    spec: {
      version: `v${version}`,
      homepage: repository,
      shortDescription: 'Show, compare and restart DittoFS file servers.',
      description: 'Shows the state of DittoServers and of their objects, with what is wrong first; compares a manifest with the cluster, and says\n' +
        'whether the server would restart; checks and renders manifests; prints events and logs; restarts a server; checks an\n' +
        'installation of the operator.\n',
      caveats: `Completion of names from the cluster: ${repository}/blob/v${version}/docs/kubectl-plugin.md\n`,
      platforms: platforms.map(({ system, architecture, file, sha256 }) => ({
        selector: { matchLabels: { os: system, arch: architecture } },
        uri: `${repository}/releases/download/v${version}/${file}`,
        sha256,
        bin: files[0],
        files: files.map(from => ({ from, to: '.' })),
      })),
    },
  }, { lineWidth: 0 })
}
