import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import type { Edit, Plant } from './plants.ts'

const src = new URL('../../src/', import.meta.url)

/** The text of a source file with a fault in it. @throws where the text to be replaced is not there exactly once */
function planted (url: string, edits: readonly Edit[]): string {
  return edits.reduce((text, { from, to }) => {
    const found = text.split(from).length - 1
    if (found !== 1) throw new Error(`${url} has ${found} times: ${from}`)
    return text.replace(from, () => to)
  }, readFileSync(new URL(url), 'utf8'))
}

const urlOf = ({ file }: Edit) => new URL(file, src).href

/** From now on this thread loads the operator with a fault in it. Nothing on disk changes. */
export function plant ({ edits }: Plant): void {
  // All of them together, so that an outdated one is reported even if its file is not loaded.
  const texts = new Map([...new Set(edits.map(urlOf))].map(url => [url, planted(url, edits.filter(edit => urlOf(edit) === url))]))
  registerHooks({
    load: (url, context, nextLoad) => {
      const source = texts.get(url)
      return source === undefined ? nextLoad(url, context) : { format: 'module-typescript', source, shortCircuit: true }
    },
  })
}
