// The findings of `kubectl apply`, parsed from its output.

export interface KubectlError {
  /** Who found it: kubectl itself; the API server, when it decoded or validated the object; or the webhook. */
  readonly stage: 'kubectl' | 'decoding' | 'validation'
  /** Path of the field, if it is known. */
  readonly field: string
  readonly message: string
}

export interface KubectlFindings {
  readonly errors: readonly KubectlError[]
  readonly warnings: readonly string[]
  /** The stream ended here for kubectl: it did not look at later documents. */
  readonly stopped: boolean
}

/** The start of a new error; the error for a patch has several lines. */
const beginning = new RegExp('^(?:' + [
  'error:? ', 'Error from server', 'The DittoServer "', 'The request is invalid', 'unable to ', 'resource mapping', 'from ', 'Warning: ',
  '[a-z.]+/\\S+ (?:created|configured|unchanged)',
].join('|') + ')')

export function kubectlFindings (stderr: string): KubectlFindings {
  const entries: string[] = []
  for (const line of stderr.split('\n')) {
    if (beginning.test(line) || entries.length === 0) entries.push(line)
    else entries.push(`${entries.pop() ?? ''}\n${line}`)
  }
  const told = entries.map(entry => entry.trim()).filter(Boolean)
  const warnings = told.filter(entry => entry.startsWith('Warning: ')).map(entry => entry.slice('Warning: '.length))
  const errors = told.filter(entry => !entry.startsWith('Warning: '))
  return {
    errors: errors.flatMap(errorsIn),
    warnings,
    stopped: errors.some(entry => /error parsing|error validating|error converting/.test(entry)),
  }
}

const heading = '(?:Invalid value|Required value|Forbidden|Unsupported value|Not found|Too long|Too many|Duplicate value|Internal error)'
const cause = new RegExp(`^(?<field>[^:]*): (?<message>${heading}[^]*)$`)

function errorsIn (entry: string): KubectlError[] {
  const kinds = [...entry.matchAll(/no matches for kind "[^"]*" in version "[^"]*"/g)]
  if (kinds.length > 0) return kinds.map(([message]) => ({ stage: 'kubectl', field: '', message }))
  const unknown = [...entry.matchAll(/(?<!\\)unknown field "([^"\\]+)"/g)]
  if (/strict decoding error/.test(entry)) return unknown.map(([message, field = '']) => ({ stage: 'decoding', field, message }))
  const invalid = /(?:DittoServer(?:\.dittofs\.dittofs\.com)? "[^"]*"|request) is invalid: ?([^]*)$/.exec(entry)?.[1]
  if (invalid === undefined) return [{ stage: 'kubectl', field: fieldOf(entry), message: entry }]
  return causesIn(invalid.trim()).map(text => {
    const { field = '', message = text } = cause.exec(text)?.groups ?? {}
    return { stage: 'validation', field, message }
  })
}

/** `* a: …` on lines of their own, `[a: …, b: …]`, `a: …; b: …` of a webhook, or one alone. */
function causesIn (text: string): string[] {
  if (text.startsWith('* ')) return text.split(/^\* /m).map(part => part.trim()).filter(Boolean)
  const inner = /^\[([^]*)\]$/.exec(text)?.[1]
  return (inner ?? text).split(new RegExp(`(?:, |; )(?=[\\w.<>[\\]]+: ${heading})`))
}

function fieldOf (entry: string): string {
  const typed = /Go struct field ObjectMeta\.([\w.]+)|cannot unmarshal \w+ into Go (?:struct field \w*\.(metadata)|value)/.exec(entry)
  if (typed) return typed[1] ?? 'metadata'
  if (/namespaces "[^"]*" not found|invalid namespace/.test(entry)) return 'metadata.namespace'
  if (/cannot use generate name/.test(entry)) return 'metadata.generateName'
  if (/resource name may not be empty|invalid resource name/.test(entry)) return 'metadata.name'
  if (/parsing time/.test(entry)) return 'metadata.creationTimestamp'
  return ''
}
