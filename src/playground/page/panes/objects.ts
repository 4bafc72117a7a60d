import type { RenderedObject, ServerTrial } from '../../contract.ts'
import { element } from '../element.ts'
import { yamlView } from '../yaml-view.ts'

/** Objects that the reader has opened; they stay open while the document changes. */
const opened = new Set<string>()

/** Every object that the operator would create, in order. */
export function objectsPane ({ notRendered, allowed }: ServerTrial, objects: readonly RenderedObject[]): HTMLElement[] {
  if (notRendered !== undefined) return [element('p', { class: 'note bad' }, `Nothing is created: ${notRendered}`)]
  const refused = allowed ? [] : [element('p', { class: 'note bad' }, 'Admission refuses the server, so none of these objects is created until the errors are corrected.')]
  return [...refused, element('p', { class: 'lead' }, `${objects.length} objects, in the order in which they are applied. Values of Secrets are not shown.`),
    ...objects.map(({ kind, name, yaml }) => {
      const key = `${kind}/${name}`
      const details = element('details', { class: 'object', ...opened.has(key) ? { open: true } : {} },
        element('summary', {}, element('span', { class: 'kind' }, kind), element('span', { class: 'name' }, name)))
      const fill = () => { if (details.open && details.childElementCount === 1) details.append(yamlView(yaml, `${kind} ${name}`)) }
      details.addEventListener('toggle', () => {
        if (details.open) opened.add(key)
        else opened.delete(key)
        fill()
      })
      fill()
      return details
    })]
}
