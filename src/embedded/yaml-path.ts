import { isMap, isScalar, isSeq, type ParsedNode, type YAMLMap } from 'yaml'
import { quote } from '../dittoserver/quote.ts'

type Node = ParsedNode | null

/** The position of the deepest existing part of a path such as `spec.claims[0].name`: its key, or the item of a list. */
export function offsetOf (root: Node, path: string): number {
  let offset = root?.range[0] ?? 0
  let node = root
  for (let rest = path; rest !== '';) {
    const step = isSeq(node) ? intoList(node.items as Node[], rest) : isMap(node) ? intoMap(node, rest) : undefined
    if (!step) return offset
    offset = step.offset
    node = step.node
    rest = step.rest
  }
  return offset
}

interface Step { readonly node: Node, readonly offset: number, readonly rest: string }

const withoutDot = (path: string) => path.startsWith('.') ? path.slice(1) : path

function intoList (items: readonly Node[], path: string): Step | undefined {
  const [whole = '', index] = /^\[([0-9]+)\]/.exec(path) ?? []
  const node = items[Number(index)]
  return node ? { node, offset: node.range[0], rest: withoutDot(path.slice(whole.length)) } : undefined
}

/** A key follows a dot, or is quoted in brackets. It may contain dots itself: of two matching keys, the longer one is used. */
function intoMap (map: YAMLMap, path: string): Step | undefined {
  let found: Step | undefined
  let longest = 0
  for (const { key, value } of map.items) {
    const plain = isScalar(key) ? String(key.value) : ''
    const name = path.startsWith("['") ? `[${quote(plain)}]` : plain
    if (name.length < longest || !path.startsWith(name) || !/^(\.|\[|$)/.test(path.slice(name.length))) continue
    longest = name.length
    found = { node: value as Node, offset: (key as ParsedNode).range[0], rest: withoutDot(path.slice(name.length)) }
  }
  return found
}
