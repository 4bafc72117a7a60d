import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { checkSync } from 'recheck'
import t from 'tap'
import ts from 'typescript'
import { specSchema } from '../src/dittoserver/schema.ts'
import { isObject } from '../src/dittoserver/structural.ts'
import * as patterns from '../src/dittoserver/patterns.ts'

// Every regular expression in `src` runs in linear time, for any input.

interface Expression { readonly source: string, readonly flags: string, readonly where: string }

const sources = fileURLToPath(new URL('../src/', import.meta.url))

const expressions: Expression[] = Object.entries(patterns).map(([name, source]) => ({ source, flags: '', where: `patterns.ts: ${name}` }))
/** `new RegExp(…)` takes its text from patterns.ts, and from nowhere else. */
const spelledOut: string[] = []

for (const file of globSync('**/*.ts', { cwd: sources })) {
  const tree = ts.createSourceFile(file, readFileSync(`${sources}${file}`, 'utf8'), ts.ScriptTarget.Latest)
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) {
      const [, source = '', flags = ''] = /^\/(.*)\/([a-z]*)$/s.exec(node.text) ?? []
      expressions.push({ source, flags, where: file })
    }
    const isMade = ts.isNewExpression(node) && node.expression.getText(tree) === 'RegExp'
    if (isMade && node.arguments?.some(ts.isStringLiteralLike)) spelledOut.push(file)
    ts.forEachChild(node, visit)
  }
  visit(tree)
}

function collect (schema: unknown): void {
  if (!isObject(schema)) return
  if (typeof schema.pattern === 'string') expressions.push({ source: schema.pattern, flags: '', where: 'schema' })
  Object.values(schema).forEach(collect)
}
collect(specSchema)

/** The five fields of a schedule are separated by blanks, which none of them has. Together they are too much for the automaton. */
function parts (source: string): string[] {
  if (source !== patterns.cronSchedule) return [source]
  return source.slice('^('.length, -')$'.length).replace(/\[([A-Z])([a-z])\]/g, '$2').split(' +').map(field => `^(${field})$`)
}

/** Uses its automaton; a lookbehind has none, and is tested by attack strings. */
function decide (source: string, flags: string) {
  const found = checkSync(source, flags, { checker: 'automaton', timeout: 120_000 })
  return found.status === 'unknown' && found.error.kind === 'unsupported' ? checkSync(source, flags, { checker: 'fuzz', randomSeed: 1 }) : found
}

const distinct = [...new Map(expressions.map(expression => [`/${expression.source}/${expression.flags}`, expression])).entries()]

t.strictSame(spelledOut, [])
t.ok(distinct.length > 40, `${distinct.length} expressions`)
for (const [text, { source, flags, where }] of distinct) {
  // A look-ahead at the start is tried once. `*` in the place of `{0,61}` makes the automaton small, and the expression no faster.
  for (const part of parts(source)) {
    const simple = part.replace(/\{[0-9]+,[0-9]+\}/g, '*').replace(/^\^\(\?=[^()]*\)/, '^')
    const found = decide(simple, flags)
    t.equal(found.status, 'safe', `${where}: ${text.slice(0, 100)}: ${'complexity' in found ? found.complexity.summary : 'not decided'}`)
  }
}
