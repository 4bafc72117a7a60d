import type { ControlPlane } from '../control-plane/control-plane.ts'

interface Applied {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string, readonly namespace?: string }
}

const pluralOf = (kind: string) => kind.toLowerCase().replace(/y$/, 'ie').concat('s')

export function pathOf ({ apiVersion, kind, metadata: { name, namespace } }: Applied): string {
  const place = namespace === undefined ? '' : `namespaces/${namespace}/`
  return `/${apiVersion.includes('/') ? 'apis' : 'api'}/${apiVersion}/${place}${pluralOf(kind)}/${name}`
}

/**
 * Applies objects in a server-side dry run that refuses unknown fields, like `kubectl apply --server-side --dry-run=server`. An object that
 * was accepted once is not sent again. The result contains the replies of the API server to the refused objects.
 */
export function dryRunner ({ request }: Pick<ControlPlane, 'request'>) {
  const accepted = new Set<string>()
  return {
    count: () => accepted.size,
    refusals: async (objects: readonly Applied[]): Promise<string[]> => {
      const said = await Promise.all(objects.map(async object => {
        const body = JSON.stringify(object)
        if (accepted.has(body)) return []
        const query = 'dryRun=All&fieldManager=dry-run&force=true&fieldValidation=Strict'
        const { status, body: answer } = await request('PATCH', `${pathOf(object)}?${query}`, body, 'application/apply-patch+yaml')
        if (status >= 300) return [`${object.kind} ${object.metadata.name}: ${JSON.stringify(answer)}`]
        accepted.add(body)
        return []
      }))
      return said.flat()
    },
  }
}
