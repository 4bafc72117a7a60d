import { kind } from '../dittoserver/api.ts'

/** How kubectl prints the errors of an invalid object: a single one on the same line, several below each other. */
export function refusalLines (name: string, errors: readonly string[]): string[] {
  const heading = `The ${kind} "${name}" is invalid:`
  return errors.length === 1 ? [`${heading} ${errors[0] ?? ''}`] : [heading, ...errors.map(error => `* ${error}`)]
}
