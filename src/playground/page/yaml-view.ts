import { yamlLanguage } from '@codemirror/lang-yaml'
import { classHighlighter, highlightCode } from '@lezer/highlight'
import { element } from './element.ts'

/** YAML to read, coloured as in the editor. `added`: lines to mark, from 1. */
export function yamlView (text: string, label: string, added: readonly number[] = []): HTMLElement {
  const lines: HTMLElement[] = []
  const begin = () => {
    const isAdded = added.includes(lines.length + 1)
    const line = element('span', { class: isAdded ? 'line added' : 'line' })
    if (isAdded) line.append(element('span', { class: 'hidden' }, 'added: '))
    lines.push(line)
  }
  begin()
  highlightCode(text.trimEnd(), yamlLanguage.parser.parse(text.trimEnd()), classHighlighter,
    (code, classes) => { lines.at(-1)?.append(classes === '' ? code : element('span', { class: classes }, code)) }, begin)
  return element('pre', { class: 'yaml', tabindex: '0', role: 'region', 'aria-label': label }, ...lines)
}
