import { element } from './element.ts'
import type { StructuralSchema } from '../../dittoserver/structural.ts'
import { typeOf } from './schema-walk.ts'

/** The documentation of a field, from the schema. */
export function documentationOf (path: readonly string[], node: StructuralSchema, isRequired = false): HTMLElement {
  const { description = '' } = node
  return element('div', { class: 'documentation' },
    element('p', { class: 'documentation-path' }, path.join('.').replaceAll('.[]', '[]'), element('span', { class: 'documentation-type' }, typeOf(node), isRequired ? ', required' : '')),
    ...(description === '' ? [] : [element('p', {}, ...withCode(description))]))
}

const withCode = (text: string) => text.split('`').map((part, index) => index % 2 === 0 ? part : element('code', {}, part))
