import { createHash } from 'node:crypto'

/** Replacement of container images: programs of this machine. */
export interface Image {
  /** As in a Dockerfile. A container's `command` replaces it. */
  readonly entrypoint?: readonly string[]
  /** As in a Dockerfile. A container's `args` replace it. */
  readonly command?: readonly string[]
  /** Files and folders that it brings along: where they are inside, and where on this machine. */
  readonly files?: Readonly<Record<string, string>>
  readonly environment?: Readonly<Record<string, string>>
  readonly workingDirectory?: string
  readonly user?: number
}

/** By the name that pods use. May be changed while the node runs, as a registry is. */
export type Images = Readonly<Record<string, Image>>

/** The reason of a waiting state, and its message, as kubelet words them. */
export class PullError extends Error {
  readonly reason: 'ErrImagePull' | 'InvalidImageName'
  constructor (reason: PullError['reason'], message: string) {
    super(message)
    this.reason = reason
  }
}

/** https://github.com/distribution/reference: lower case, unlike tags. */
const wellFormed = /^[a-z0-9][a-z0-9._/-]*(:\d+\/[a-z0-9._/-]+)?(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$/

/** @throws PullError */
export function pull (images: Images, name: string): Image & { readonly id: string } {
  if (!wellFormed.test(name)) {
    throw new PullError('InvalidImageName', `Failed to apply default image tag "${name}": couldn't parse image name "${name}": invalid reference format`)
  }
  const image = images[name]
  const full = fullName(name)
  if (!image) {
    throw new PullError('ErrImagePull', `rpc error: code = NotFound desc = failed to pull and unpack image "${full}": failed to resolve image: ${full}: not found`)
  }
  return { ...image, id: `${full.replace(/:[^/:]*$/, '')}@sha256:${createHash('sha256').update(name).digest('hex')}` }
}

/** As a container runtime completes a name: `dittofs` is `docker.io/library/dittofs:latest`. */
function fullName (name: string): string {
  const [first = '', ...rest] = name.split('/')
  const hasRegistry = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost')
  const path = hasRegistry ? name : `docker.io/${rest.length > 0 ? name : `library/${name}`}`
  return /[:@][^/]*$/.test(path) ? path : `${path}:latest`
}
