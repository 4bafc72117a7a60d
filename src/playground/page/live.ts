import type { LiveReview, LiveServer } from '../contract.ts'
import { element } from './element.ts'

/** Reviews that the page keeps. */
const mostShown = 200
let isOpen = false
/** Phases that do not pass by themselves. */
const failed = new Set(['Failed', 'Refused'])

/** The state of every server, and each review as it is answered. `edit`: opens a manifest in the editor. */
export function live (view: HTMLElement, edit: (text: string) => void): void {
  if (isOpen) return
  isOpen = true
  const state = element('p', { class: 'lead', role: 'status' }, 'Connecting…')
  const rows = element('tbody')
  const reviews = element('ol', { class: 'reviews', 'aria-label': 'Reviews, the newest first' })
  const none = element('p', { class: 'empty' }, 'No review yet. Apply a DittoServer, or send one with the curl command that the program printed.')
  view.append(
    element('section', { 'aria-label': 'Servers' }, element('h2', {}, 'Servers'), state, element('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'State of the servers' },
      element('table', {}, element('thead', {}, element('tr', {}, ...['Namespace', 'Name', 'State', 'Why', 'Edit'].map(title => element('th', { scope: 'col' }, title)))), rows))),
    element('section', { 'aria-label': 'Reviews' }, element('h2', {}, 'Reviews'), none, reviews))

  const source = new EventSource('/api/reviews')
  source.addEventListener('open', () => { reviews.replaceChildren() })
  source.addEventListener('error', () => { state.textContent = 'The connection is lost. The page keeps trying.' })
  source.addEventListener('servers', ({ data }) => {
    const servers = JSON.parse(String(data)) as readonly LiveServer[]
    state.textContent = servers.length === 1 ? '1 server.' : `${servers.length} servers.`
    rows.replaceChildren(...servers.map(server => row(server, edit)))
  })
  source.addEventListener('review', ({ data }) => {
    none.hidden = true
    reviews.prepend(review(JSON.parse(String(data)) as LiveReview))
    while (reviews.childElementCount > mostShown) reviews.lastElementChild?.remove()
  })
}

function row ({ namespace, name, phase, isReady, message }: LiveServer, edit: (text: string) => void): HTMLElement {
  const open = async () => {
    const reply = await fetch(`/api/servers/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`)
    if (reply.ok) edit(await reply.text())
  }
  return element('tr', {}, element('td', {}, namespace), element('th', { scope: 'row', class: 'code' }, name),
    element('td', {}, element('span', { class: `badge ${isReady ? 'good' : failed.has(phase) ? 'deny' : 'warn'}` }, phase)), element('td', {}, message),
    element('td', {}, element('button', { type: 'button', class: 'quiet', 'aria-label': `Edit ${name}`, onclick: () => { void open() } }, 'Edit')))
}

function review ({ time, webhook, operation, namespace, name, user, dryRun, allowed, milliseconds, kubectl }: LiveReview): HTMLElement {
  return element('li', {},
    element('div', { class: 'finding-head' },
      element('span', { class: `badge ${allowed ? 'good' : 'deny'}` }, allowed ? 'Allowed' : 'Denied'),
      element('strong', { class: 'code' }, namespace === '' ? name : `${namespace}/${name}`),
      element('span', { class: 'soft' }, `${webhook}, ${operation}${dryRun ? ', dry run' : ''}, by ${user || 'unknown'}, ${milliseconds} ms`),
      element('time', { class: 'soft', datetime: time }, new Date(time).toLocaleTimeString())),
    element('pre', {}, kubectl.join('\n')))
}
