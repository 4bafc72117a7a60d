import { at, type Tree } from './tree.ts'

type Test = (object: Tree) => boolean

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors */
function labelTest (part: string): Test {
  const label = (object: Tree, key: string) => at(object, 'metadata', 'labels', key)
  const [, key = '', operator = '', value = ''] = /^\s*([^\s=!]+)\s*(==|=|!=|\sin\s|\snotin\s)?\s*(.*?)\s*$/.exec(part) ?? []
  switch (operator.trim()) {
    case '=': case '==': return object => label(object, key) === value
    case '!=': return object => label(object, key) !== value
    case 'in': return object => value.slice(1, -1).split(',').some(entry => entry.trim() === label(object, key))
    case 'notin': return object => !value.slice(1, -1).split(',').some(entry => entry.trim() === label(object, key))
    default: return object => label(object, key) !== undefined
  }
}

function fieldTest (part: string): Test {
  const [, path = '', operator = '', value = ''] = /^([^=!]+)(==|=|!=)(.*)$/.exec(part) ?? []
  return object => (String(at(object, ...path.split('.')) ?? '') === value) === (operator !== '!=')
}

/** Commas between parentheses do not separate. */
const parts = (selector: string): string[] => selector.match(/[^,(]+(\([^)]*\))?/g) ?? []

/** Objects that match all of it. */
export function selected (labelSelector: string | null, fieldSelector: string | null, namespace: string): Test {
  const tests = [...parts(labelSelector ?? '').map(labelTest), ...parts(fieldSelector ?? '').map(fieldTest)]
  return object => (namespace === '' || at(object, 'metadata', 'namespace') === namespace) && tests.every(test => test(object))
}
