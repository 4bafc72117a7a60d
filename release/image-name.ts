import { imageRepository, imageTag } from '../src/manifests/install/installation.ts'
import { RefusedRelease } from './refused-release.ts'

/** The location of the image of this release, and its digest. */
export interface Image {
  /** Such as `ghcr.io`; absent for an image that is built from this repository. */
  readonly registry?: string
  /** With the owner, such as `example/dittofs-operator`. */
  readonly repository: string
  readonly digest?: string
}

/** The name of an image that is built from this repository. */
export const localImage: Image = { repository: imageRepository }

const repositoryName = /^(?<registry>[a-z0-9.-]+(?::\d+)?)\/(?<path>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)$/
const digestName = /^sha256:[0-9a-f]{64}$/

/** @throws {RefusedRelease} for an invalid repository or digest */
export function publishedImage (name: string, digest: string): Image {
  const { registry, path } = repositoryName.exec(name)?.groups ?? {}
  const reasons = [
    ...registry === undefined || path === undefined ? [`--image '${name}': it must be a registry, an owner and a name, in lower case`] : [],
    ...digestName.test(digest) ? [] : [`--digest '${digest}': it must be sha256: and 64 hexadecimal digits`],
  ]
  if (registry === undefined || path === undefined || reasons.length > 0) throw new RefusedRelease(reasons)
  return { registry, repository: path, digest }
}

/** With version and digest: it is pulled by digest, and the version is for readers. */
export const nameOf = ({ registry, repository, digest }: Image): string =>
  `${registry === undefined ? '' : `${registry}/`}${repository}:${imageTag}${digest === undefined ? '' : `@${digest}`}`
