/** Maximum length of text that is quoted from a pod, in characters. */
const longest = 300

/** Parts that differ between attempts, and parts that must not appear in a status. */
const noise: readonly (readonly [RegExp, string])[] = [
  [/rpc error: code = \w+ desc = /g, ''],
  [/"?\b(time|ts|timestamp)"?[:=] ?"?\d[\dTZ:.+-]*"?,? ?/g, ''],
  [/\d{4}[-/]\d{2}[-/]\d{2}[T ]\d{2}:\d{2}:\d{2}([.,]\d+)?(Z| ?[+-]\d{2}:?\d{2})? ?/g, ''],
  // The port of one connection: `read udp 10.1.2.3:45678->10.96.0.10:53`.
  [/\b\d{1,3}(\.\d{1,3}){3}:\d+->/g, ''],
  // A password in a URL, or in a connection string.
  [/(:\/\/[^\s/@:]*:)[^\s/@]+@/g, '$1***@'],
  [/\b(password|secret|token)=\S+/gi, '$1=***'],
]

/**
 * A text of the kubelet or of a server on one line, without parts that change with each attempt, cut to a length that suits a status. Pure.
 */
export function stableText (text: string): string {
  const cleaned = noise.reduce((rest, [pattern, by]) => rest.replace(pattern, by), text).replace(/\s+/g, ' ').trim()
  const characters = [...cleaned]
  return characters.length > longest ? `${characters.slice(0, longest - 1).join('')}…` : cleaned.replace(/\.$/, '')
}

/**
 * The line of a termination message with the reason: the last line that mentions an error, otherwise the last line. A message may be the
 * end of the log (`terminationMessagePolicy: FallbackToLogsOnError`), with a usage text after the error. Pure.
 */
export function lastWords (message: string): string {
  const lines = message.split('\n').map(line => line.trim()).filter(Boolean)
  const line = lines.findLast(each => /error|fatal|panic|fail/i.test(each)) ?? lines.at(-1) ?? ''
  return stableText(plainOf(line))
}

/** For a JSON log line, its message and error; any other line unchanged. */
function plainOf (line: string): string {
  if (!line.startsWith('{')) return line
  try {
    const { msg, message = msg, error, err = error } = JSON.parse(line) as Record<string, unknown>
    const parts = [message, err].filter(part => typeof part === 'string')
    return parts.length > 0 ? parts.join(': ') : line
  } catch {
    return line // truncated at the beginning
  }
}
