import type { ServerTrial, Trial } from '../contract.ts'
import { element } from './element.ts'

const count = (number: number, what: string) => `${number} ${what}${number === 1 ? '' : 's'}`

export interface Summary {
  readonly tone: 'good' | 'warn' | 'bad' | 'none'
  readonly title: string
  readonly detail: string
}

/** The verdict on the whole document in one line. Pure. */
export function summaryOf ({ problems, servers }: Trial): Summary {
  const remarks = servers.flatMap(server => server.remarks)
  const of = (wanted: string) => remarks.filter(({ severity }) => severity === wanted).length
  const [errors, warnings] = [of('deny'), of('warn')]
  if (problems.length > 0) return { tone: 'bad', title: 'Cannot be read', detail: problems[0]?.message ?? '' }
  if (servers.length === 0) return { tone: 'none', title: 'No DittoServer', detail: 'in the document' }
  const isEdit = servers.some(({ operation }) => operation === 'UPDATE')
  const which = servers.length === 1 ? servers[0]?.name ?? '' : count(servers.length, 'server')
  const what = isEdit ? `edit of ${which}` : which
  const found = [...(errors > 0 ? [count(errors, 'error')] : []), ...(warnings > 0 ? [count(warnings, 'warning')] : [])].join(', ')
  const detail = found === '' ? what : `${what}: ${found}`
  if (errors > 0) return { tone: 'bad', title: 'Refused', detail }
  return { tone: warnings > 0 ? 'warn' : 'good', title: 'Allowed', detail }
}

/** The live region. Its text changes only if the verdict does, so that a screen reader does not repeat it with each keystroke. */
export function showSummary (banner: HTMLElement, { tone, title, detail }: Summary): void {
  const text = `${title} ${detail}`
  if (banner.dataset.shown === text) return
  banner.dataset.shown = text
  banner.className = `banner ${tone}`
  banner.replaceChildren(element('span', { class: 'dot', 'aria-hidden': 'true' }), element('strong', {}, title), ' ', element('span', {}, detail))
}

/** The server whose document contains a line; else the first one. Pure. */
export const serverAt = (servers: readonly ServerTrial[], line: number): ServerTrial | undefined =>
  servers.findLast(server => server.line <= line) ?? servers[0]
