import { isMap, isScalar, isSeq, LineCounter, parseDocument, stringify, type Node } from 'yaml'
import { isObject } from '../dittoserver/structural.ts'
import type { Defaulted } from './contract.ts'

/** The object as YAML, and the lines that the given object does not have: defaults, and values that replace an empty one. Pure. */
export function defaultedYaml (given: unknown, object: unknown): Defaulted {
  const yaml = stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })
  const lines = new LineCounter()
  const tree = parseDocument(yaml, { lineCounter: lines }).contents
  const added = new Set<number>()
  const mark = (from: number, to: number) => {
    for (let line = lines.linePos(from).line; line <= lines.linePos(Math.max(from, to - 1)).line; line++) added.add(line)
  }
  compare(given, tree, mark)
  return { yaml, added: [...added] }
}

type Mark = (from: number, to: number) => void

function compare (given: unknown, node: unknown, mark: Mark): void {
  if (isMap(node)) {
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : ''
      const before = isObject(given) && Object.hasOwn(given, name) ? given[name] : undefined
      const [start, end] = [startOf(key), endOf(value) ?? endOf(key) ?? 0]
      if (before === undefined || before === null || (before === '' && isScalar(value) && value.value !== '')) mark(start, end)
      else compare(before, value, mark)
    }
  } else if (isSeq(node)) {
    for (const [index, item] of node.items.entries()) compare(Array.isArray(given) ? given[index] : undefined, item, mark)
  }
}

const startOf = (node: unknown): number => (node as Node | null)?.range?.[0] ?? 0
const endOf = (node: unknown): number | undefined => (node as Node | null)?.range?.[1]
