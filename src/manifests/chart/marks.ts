import type { Expression } from '../install/installation.ts'

// Placeholders for values that cannot be written as a quoted scalar. An object contains them where YAML allows a string. `finished`
// converts the lines of that object to Helm syntax. A condition omits values that are not set.

export const integer = (value: string): Expression => `{{ integer ${value} }}`
export const optional = (value: string): Expression => `{{ optional ${value} }}`
/** A map or list that is omitted if it is empty. */
export const structure = (value: string): Expression => `{{ structure ${value} }}`
/** A map that is also written if it is empty. */
export const map = (value: string): Expression => `{{ map ${value} }}`
/** Additional entries of the list that contains it. */
export const entries = (value: string): Expression => `{{ entries ${value} }}`
/** Additional fields of the object that contains it as a key. */
export const fields = (value: string): Record<string, string> => ({ [`{{ fields ${value} }}`]: '' })
/** Fields from a named template; never empty. */
export const included = (template: string, argument = '.'): Record<string, string> => ({ [`{{ included ${template} ${argument} }}`]: '' })
/** An entry of a list, with two lines, for each number in another list; this is the second line. */
export const each = (value: string): Expression => `{{ each ${value} }}`

const marked = /^( *)(- )?(?:([A-Za-z]+): )?"\{\{ (integer|optional|structure|map|entries|fields|included|each) (.+?) \}\}"(: "")?$/

const pipe = (value: string, indent: number) => `{{- ${value} | nindent ${indent} }}`

const translate: Readonly<Record<string, (indent: string, key: string, value: string) => string[]>> = {
  integer: (indent, key, value) => [`${indent}${key}: {{ int ${value} }}`],
  optional: (indent, key, value) => [`{{- with ${value} }}`, `${indent}${key}: {{ . | quote }}`, '{{- end }}'],
  structure: (indent, key, value) => [`{{- with ${value} }}`, `${indent}${key}:`, pipe('toYaml .', indent.length + 2), '{{- end }}'],
  map: (indent, key, value) => [`${indent}${key}:`, pipe(`toYaml ${value}`, indent.length + 2)],
  entries: (indent, _key, value) => [`{{- with ${value} }}`, pipe('toYaml .', indent.length), '{{- end }}'],
  fields: (indent, _key, value) => [`{{- with ${value} }}`, pipe('toYaml .', indent.length), '{{- end }}'],
  included: (indent, _key, value) => {
    const [template = '', ...argument] = value.split(' ')
    return [pipe(`include "dittofs-operator.${template}" ${argument.join(' ')}`, indent.length)]
  },
}

/** Converts the lines of an object with placeholders to lines of a template. */
export function finished (lines: readonly string[]): string[] {
  const result: string[] = []
  for (const line of lines) {
    const [found, indent = '', , key = '', mark = '', value = ''] = marked.exec(line) ?? []
    // Inside a longer text.
    if (found === undefined) result.push(line.replace('{{ integer ', '{{ int '))
    else if (mark === 'each') result.push(`{{- range ${value} }}`, result.pop() ?? '', `${indent}${key}: {{ int . }}`, '{{- end }}')
    else result.push(...translate[mark]?.(indent, key, value) ?? [])
  }
  return result
}
