import type { Pane, Trial } from '../contract.ts'
import { serverAt, showSummary, summaryOf } from './banner.ts'
import { byId, element } from './element.ts'
import type { Editor } from './editor.ts'
import { fromFragment, toFragment, type Linked } from './link.ts'
import type { PaneOf } from './panes/index.ts'
import { samples } from './samples.ts'
import type { StructuralSchema } from '../../dittoserver/structural.ts'
import { tabs } from './tabs.ts'
import { theme } from './theme.ts'
import { trials } from './trials.ts'

theme(byId('theme'))
const editing = Promise.all([import('./editor.ts'), import('./panes/index.ts'), fetch('/schema.json').then(async reply => await reply.json() as StructuralSchema)])

let [trial, running, editor]: [Trial, string | undefined, Editor | undefined] = [{ problems: [], servers: [] }, undefined, undefined]
const panes = ['verdict', 'defaulted', 'objects', 'picture', 'effects'] as const
let paneOf: PaneOf | undefined
const titles = { verdict: 'Verdict', defaulted: 'Defaulted', objects: 'Objects', picture: 'Picture', effects: 'Edit effects' }
const panels = panes.map(id => ({ id, title: titles[id], panel: element('div', { class: 'pane', hidden: true }), onShow: () => { shown(id) } }))
byId('panes').append(...panels.map(({ panel }) => panel))
let pane: Pane = 'verdict'
const results = tabs(byId('tabs'), panels)

const linked = (): Linked => ({ text: editor?.text() ?? '', ...(running === undefined ? {} : { running }) })

function shown (id: Pane): void {
  pane = id
  if (!editor) return
  show()
  ask()
}

/** Only the pane that is open. */
function show (): void {
  const server = serverAt(trial.servers, editor?.line() ?? 1)
  const content = paneOf?.(pane, trial, server, { goTo: (line, column) => { editor?.goTo(line, column) }, pin })
  if (content) panels.find(({ id }) => id === pane)?.panel.replaceChildren(...content)
  results.mark('objects', server && server.creates.length > 0 ? String(server.creates.length) : '')
}

const ask = trials(() => ({ ...linked(), pane }), found => {
  trial = found
  showSummary(byId('banner'), summaryOf(trial))
  editor?.mark(trial)
  show()
  performance.clearMarks()
  performance.mark('verdict')
}, message => { showSummary(byId('banner'), { tone: 'bad', title: 'No verdict', detail: message }) })

let saving: ReturnType<typeof setTimeout> | undefined
/** Milliseconds. Browsers limit how often the address may change. */
const savingDelay = 400

function changed (): void {
  ask()
  clearTimeout(saving)
  saving = setTimeout(() => { void toFragment(linked()).then(fragment => { history.replaceState(null, '', fragment) }) }, savingDelay)
}

function pin (): void {
  running = running === undefined ? editor?.text() : undefined
  showPin()
  changed()
}

function showPin (): void {
  byId('pin').textContent = running === undefined ? 'Pin as running' : 'Unpin'
  byId('pinned').hidden = running === undefined
  byId('pinned').textContent = 'Compared with the running server: what you change is an edit of it.'
}

function open ({ text, running: before }: Linked): void {
  running = before
  showPin()
  editor?.replace(text)
  changed()
}

async function start (): Promise<void> {
  const found = await fromFragment(location.hash)
  const [{ createEditor }, loaded, schema] = await editing
  paneOf = loaded.paneOf
  running = found?.running
  showPin()
  const nonce = document.querySelector<HTMLScriptElement>('script[nonce]')?.nonce ?? ''
  editor = createEditor({ parent: byId('editor'), text: found?.text ?? samples[0]?.text ?? '', schema, nonce, onChange: changed, onMove: show })
  ask()
}

const chooser = byId<HTMLSelectElement>('sample')
chooser.append(element('option', { value: '' }, 'choose…'), ...samples.map(({ name }) => element('option', { value: name }, name)))
chooser.addEventListener('change', () => {
  const sample = samples.find(({ name }) => name === chooser.value)
  if (sample) open(sample)
  chooser.value = ''
})
byId('pin').addEventListener('click', pin)
byId('link').addEventListener('click', () => {
  void toFragment(linked()).then(async fragment => {
    history.replaceState(null, '', fragment)
    // A browser may refuse it; the link then stands in the address bar.
    byId('link').textContent = await navigator.clipboard.writeText(location.href).then(() => 'Copied', () => 'See the address')
    setTimeout(() => { byId('link').textContent = 'Copy link' }, 1_500)
  })
})
byId('skip').addEventListener('click', event => {
  // The fragment of the address is the document.
  event.preventDefault()
  byId('results').focus()
})
// The cluster may have changed in the meantime.
addEventListener('focus', () => { if (editor) ask() })
addEventListener('hashchange', () => { void fromFragment(location.hash).then(found => { if (found) open(found) }) })
const views = tabs(byId('views'), [
  { id: 'try', title: 'Try', panel: byId('view-try') },
  {
    id: 'live',
    title: 'Live',
    panel: byId('view-live'),
    onShow: () => {
      void import('./live.ts').then(({ live }) => {
        live(byId('view-live'), text => {
          open({ text, running: text })
          views.show('try')
        })
      })
    },
  },
])
void start()
