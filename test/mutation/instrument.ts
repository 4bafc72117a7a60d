import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { Instrumenter } from '@stryker-mutator/instrumenter'

/** A small change of the source, by the name of Stryker for its kind. */
export interface Mutant {
  readonly id: string
  readonly file: string
  readonly mutator: string
  readonly replacement: string
  readonly original: string
  readonly line: number
  /** All of that line, without its margin. */
  readonly within: string
}

export interface Instrumented {
  /** JavaScript by file: every mutant of it is in it, and one is switched on at a time. */
  readonly sources: ReadonlyMap<string, string>
  readonly mutants: readonly Mutant[]
}

const quiet = { debug: () => {}, info: () => {}, isDebugEnabled: () => false }

/** Texts for people: a different text is not a fault. */
const excluded = ['StringLiteral']

/** https://stryker-mutator.io/docs/stryker-js/mutant-schemata */
export async function instrument (files: readonly string[]): Promise<Instrumented> {
  const instrumenter = new Instrumenter(quiet as never)
  const contents = files.map(name => ({ name, mutate: true, content: readFileSync(name, 'utf8') }))
  const options = { plugins: null, ignorers: [], excludedMutations: excluded }
  const { files: instrumented, mutants } = await instrumenter.instrument(contents, options as never)
  return {
    sources: new Map(instrumented.map(({ name, content }) => [name, stripTypeScriptTypes(content.replaceAll('// @ts-nocheck', ''))])),
    mutants: mutants.filter(({ status }) => status !== 'Ignored').map(({ id, fileName, mutatorName, replacement, location: { start, end } }) => {
      const lines = (contents.find(({ name }) => name === fileName)?.content ?? '').split('\n').slice(start.line, end.line + 1)
      const within = lines[0]?.trim() ?? ''
      const original = [...lines.slice(0, -1), (lines.at(-1) ?? '').slice(0, end.column)].join('\n').slice(start.column)
      return { id, file: fileName, mutator: mutatorName, replacement, original, line: start.line + 1, within }
    }),
  }
}
