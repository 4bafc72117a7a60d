import type { Defaulted } from '../../contract.ts'
import { element } from '../element.ts'
import { yamlView } from '../yaml-view.ts'

/** The object as it would be stored, with the marked additions. */
export function defaultedPane ({ yaml, added }: Defaulted): HTMLElement[] {
  const count = `${added.length} ${added.length === 1 ? 'line' : 'lines'}`
  return [
    element('p', { class: 'lead' }, added.length === 0 ? 'Nothing is added: the object is stored as it is.' : `Stored as follows. ${count} with defaults are added; your values are never rewritten.`),
    yamlView(yaml, 'The object with its defaults', added),
  ]
}
