/**
 * Finds the child of a metric for some label values, and remembers it: finding a child costs more than updating it. For label values that
 * come from a fixed set, since each combination stays in memory.
 */
export function remembered<Child, Labels extends readonly string[]> (find: (...labels: Labels) => Child): (...labels: Labels) => Child {
  const known = new Map<string, Child>()
  return (...labels) => {
    const key = labels.join(' ')
    const child = known.get(key) ?? find(...labels)
    known.set(key, child)
    return child
  }
}
