export interface Resource {
  /** Empty for the core group. */
  readonly group: string
  readonly version: string
  /** The plural name, as in the URL. */
  readonly resource: string
}

export interface ObjectReference {
  readonly namespace?: string
  readonly name?: string
  readonly subresource?: string
}

export const groupVersionPath = ({ group, version }: Pick<Resource, 'group' | 'version'>): string =>
  group === '' ? `/api/${version}` : `/apis/${group}/${version}`

/** The path of a collection (no `name`) or of one object; names are encoded, because they come from users. */
export function resourcePath (resource: Resource, { namespace, name, subresource }: ObjectReference = {}): string {
  const segments = [
    ...(namespace === undefined ? [] : ['namespaces', namespace]),
    resource.resource,
    ...(name === undefined ? [] : [name]),
    ...(subresource === undefined ? [] : [subresource]),
  ]
  return `${groupVersionPath(resource)}/${segments.map(encodeURIComponent).join('/')}`
}
