import type { Completion, CompletionContext, CompletionResult, CompletionSource } from '@codemirror/autocomplete'
import { documentationOf } from './documentation.ts'
import { keyIn, kindAt, parentPath, schemaOf, siblings } from './schema-walk.ts'
import type { StructuralSchema } from '../../dittoserver/structural.ts'

/** Completes the fields of a DittoServer, and values that the schema lists. */
export const completeFrom = (schema: StructuralSchema): CompletionSource => context => {
  const lines = context.state.doc.toString().split('\n')
  const line = context.state.doc.lineAt(context.pos)
  const index = line.number - 1
  const kind = kindAt(lines, index)
  if (kind !== undefined && kind !== 'DittoServer') return null
  const before = line.text.slice(0, context.pos - line.from)
  const spot = { context, before, lines, index, lineStart: line.from }
  return values(schema, spot) ?? keys(schema, spot)
}

interface Spot {
  readonly context: CompletionContext
  readonly lines: readonly string[]
  /** Of the line with the cursor, from 0. */
  readonly index: number
  /** The line up to the cursor. */
  readonly before: string
  readonly lineStart: number
}

function values (schema: StructuralSchema, { context, lines, index, before, lineStart }: Spot): CompletionResult | null {
  const key = keyIn(lines, index)
  if (key?.value === undefined || before.length <= key.value || before.includes('#')) return null
  const node = schemaOf(schema, key.path)
  const options = node ? valuesOf(node) : []
  if (options.length === 0) return null
  const typed = before.slice(key.value).trimStart()
  if (typed === '' && !context.explicit && before.length === key.value) return null
  return { from: lineStart + before.length - typed.length, options, validFor: /^\S*$/ }
}

function valuesOf ({ enum: choices, type, default: preset }: StructuralSchema): Completion[] {
  const ofDefault = preset === undefined || typeof preset === 'object' || preset === '' ? [] : [String(preset)]
  const all = choices ?? (type === 'boolean' ? ['true', 'false'] : ofDefault)
  return all.map(label => ({ label, type: 'constant', ...(label === String(preset) ? { detail: 'default' } : {}) }))
}

function keys (schema: StructuralSchema, { context, lines, index, before, lineStart }: Spot): CompletionResult | null {
  const [, lead = '', typed = ''] = /^(\s*(?:- +)*)([\w-]*)$/.exec(before) ?? []
  if (!context.explicit && typed === '') return null
  if (lead.length + typed.length !== before.length) return null
  const path = parentPath(lines, index, lead.length)
  const node = schemaOf(schema, path)
  const known = siblings(lines, index, lead.length)
  const options = Object.entries(node?.properties ?? {}).filter(([key]) => !known.has(key)).map(([key, property], order): Completion => {
    const isRequired = node?.required?.includes(key) ?? false
    return {
      label: key,
      type: property.properties ? 'namespace' : 'property',
      ...(isRequired ? { detail: 'required' } : {}),
      apply: `${key}:${suffix(property, lead.length)}`,
      // In the order of the schema, which begins with what matters most.
      boost: (isRequired ? 50 : 0) - order / 10,
      info: () => documentationOf([...path, key], property, isRequired),
    }
  })
  return options.length === 0 ? null : { from: lineStart + lead.length, options, validFor: /^[\w-]*$/ }
}

const suffix = ({ properties, items, additionalProperties }: StructuralSchema, indent: number): string => {
  if (items) return `\n${' '.repeat(indent)}- `
  return properties ?? additionalProperties ? `\n${' '.repeat(indent + 2)}` : ' '
}
