import { type EditorState, StateEffect, StateField, type Extension } from '@codemirror/state'
import { hoverTooltip, keymap, showTooltip, type EditorView, type Tooltip } from '@codemirror/view'
import { documentationOf } from './documentation.ts'
import { keyIn, kindAt, schemaOf } from './schema-walk.ts'
import type { StructuralSchema } from '../../dittoserver/structural.ts'

const shown = StateEffect.define<Tooltip | null>()

/** The documentation of the field under the pointer; of the field at the cursor with Ctrl-I (Cmd-I). */
export function documentationOnHover (schema: StructuralSchema): Extension {
  const byKey = StateField.define<Tooltip | null>({
    create: () => null,
    update: (tooltip, transaction) => {
      for (const effect of transaction.effects) if (effect.is(shown)) return effect.value
      return transaction.docChanged || transaction.selection ? null : tooltip
    },
    provide: field => showTooltip.from(field),
  })
  const run = ({ state, dispatch }: EditorView) => {
    const tooltip = tooltipAt(schema, state, state.selection.main.head, true)
    if (tooltip) dispatch({ effects: shown.of(tooltip) })
    return tooltip !== null
  }
  const escape = ({ state, dispatch }: EditorView) => {
    if (!state.field(byKey)) return false
    dispatch({ effects: shown.of(null) })
    return true
  }
  return [byKey, hoverTooltip((view, pos) => tooltipAt(schema, view.state, pos, false)), keymap.of([{ key: 'Mod-i', run, preventDefault: true }, { key: 'Escape', run: escape }])]
}

function tooltipAt (schema: StructuralSchema, state: EditorState, pos: number, isAnywhere: boolean): Tooltip | null {
  const line = state.doc.lineAt(pos)
  const lines = state.doc.toString().split('\n')
  const kind = kindAt(lines, line.number - 1)
  const key = keyIn(lines, line.number - 1)
  const column = pos - line.from
  if (!key || (kind !== undefined && kind !== 'DittoServer') || (!isAnywhere && (column < key.from || column > key.to))) return null
  const node = schemaOf(schema, key.path)
  if (!node) return null
  return { pos: line.from + key.from, end: line.from + key.to, above: true, create: () => ({ dom: documentationOf(key.path, node) }) }
}
