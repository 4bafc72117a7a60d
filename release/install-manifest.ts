import { defaultInstallation } from '../src/manifests/install/installation.ts'
import { manifestsOf } from '../src/manifests/install/parts.ts'
import { yamlOf } from '../src/manifests/yaml.ts'
import { version } from '../src/version.ts'

/** `manifests/default` as one file for `kubectl apply -f`. `image`: its full name. */
export const installManifest = (image: string): string =>
  `# dittofs-operator ${version}\n${manifestsOf({ ...defaultInstallation, image }).map(({ manifest }) => yamlOf(manifest)).join('---\n')}`
