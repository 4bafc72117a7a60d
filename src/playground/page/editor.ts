import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands'
import { yaml } from '@codemirror/lang-yaml'
import {
  bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit, syntaxHighlighting,
} from '@codemirror/language'
import { lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint'
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search'
import { EditorState, type Extension } from '@codemirror/state'
import {
  drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, keymap, lineNumbers,
} from '@codemirror/view'
import { classHighlighter } from '@lezer/highlight'
import type { Trial } from '../contract.ts'
import { completeFrom } from './completion.ts'
import { diagnosticsOf } from './diagnostics.ts'
import { documentationOnHover } from './hover.ts'
import type { StructuralSchema } from '../../dittoserver/structural.ts'

export interface Editor {
  readonly text: () => string
  /** Line of the cursor, from 1. */
  readonly line: () => number
  readonly replace: (text: string) => void
  readonly goTo: (line: number, column: number) => void
  readonly mark: (trial: Trial) => void
}

interface Options {
  readonly parent: HTMLElement
  readonly text: string
  readonly schema: StructuralSchema
  /** Allows the style sheets that the editor creates. */
  readonly nonce: string
  readonly onChange: () => void
  readonly onMove: () => void
}

/** Its look is in editor.css: colours there follow the theme without a new state. */
export function createEditor ({ parent, text, schema, nonce, onChange, onMove }: Options): Editor {
  const listener = EditorView.updateListener.of(({ docChanged, selectionSet }) => {
    if (docChanged) onChange()
    else if (selectionSet) onMove()
  })
  const view = new EditorView({
    parent,
    state: EditorState.create({ doc: text, extensions: [EditorView.cspNonce.of(nonce), listener, look, editing, language(schema), keys] }),
  })
  return {
    text: () => view.state.doc.toString(),
    line: () => view.state.doc.lineAt(view.state.selection.main.head).number,
    replace: next => {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next }, selection: { anchor: 0 }, scrollIntoView: true })
    },
    goTo: (line, column) => {
      const { from, to } = view.state.doc.line(Math.min(line, view.state.doc.lines))
      view.dispatch({ selection: { anchor: Math.min(from + column - 1, to) }, effects: EditorView.scrollIntoView(from, { y: 'center' }) })
      view.focus()
    },
    mark: trial => { view.dispatch(setDiagnostics(view.state, diagnosticsOf(trial, view.state.doc))) },
  }
}

const look: Extension = [
  EditorView.contentAttributes.of({ 'aria-label': 'YAML document', tabindex: '0' }), EditorView.lineWrapping,
  lineNumbers(), foldGutter(), lintGutter(), highlightSpecialChars(), drawSelection(), highlightActiveLine(), highlightActiveLineGutter(),
]

const editing: Extension = [
  history(), indentOnInput(), indentUnit.of('  '), EditorState.tabSize.of(2), bracketMatching(), closeBrackets(), highlightSelectionMatches(),
  search({ top: true }),
]

const language = (schema: StructuralSchema): Extension => [
  yaml(), syntaxHighlighting(classHighlighter), documentationOnHover(schema),
  autocompletion({ override: [completeFrom(schema)], icons: false }),
]

const keys: Extension = keymap.of([
  ...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, ...completionKeymap,
  ...lintKeymap, indentWithTab,
])
