/**
 * The value that the API server would default when a container is created. It is rendered explicitly, because the API server does not
 * change its default when the image changes: after a change from a fixed tag to `latest`, nodes would keep using the `latest` that they
 * have.
 * https://kubernetes.io/docs/concepts/containers/images/#imagepullpolicy-defaulting
 */
export function imagePullPolicy (image: string): 'Always' | 'IfNotPresent' {
  const [reference = '', digest] = image.split('@')
  const tag = /:([^/:]+)$/.exec(reference)?.[1]
  return tag === 'latest' || (tag === undefined && digest === undefined) ? 'Always' : 'IfNotPresent'
}
