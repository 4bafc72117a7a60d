import type { EffectKind, EffectStep, FieldEffect, ServerTrial } from '../../contract.ts'
import { element } from '../element.ts'

const titles: Readonly<Record<EffectKind, string>> = {
  refuse: 'Refused', restart: 'Restarts', stop: 'Stops', start: 'Starts', grow: 'Grows', replace: 'Replaced', create: 'Created', update: 'Updated', delete: 'Deleted',
}

/** What an edit of the running server does. */
export function effectsPane ({ effects, operation, name }: ServerTrial, pin: () => void): HTMLElement[] | undefined {
  if (operation === 'UPDATE' && !effects) return undefined
  if (!effects) {
    return [element('div', { class: 'empty' },
      element('p', {}, 'See what an edit of a running server does before you apply it: what restarts, what grows, what is replaced, and what is refused.'),
      element('p', {}, 'Pin the document as the running server, then edit it. Servers of the cluster can be opened from the tab Live.'),
      element('button', { type: 'button', class: 'primary', onclick: pin }, 'Pin as running'))]
  }
  const { summary, fields, steps } = effects
  return [
    element('p', { class: `note ${tone(steps.map(({ effect }) => effect))}` }, summary),
    ...(steps.length > 0 ? [element('h2', {}, 'What the operator does'), element('ul', { class: 'steps' }, ...steps.map(stepOf))] : []),
    ...(fields.length > 0 ? [element('h2', {}, `Fields of ${name} that differ`), tableOf(fields)] : []),
  ]
}

const stepOf = ({ effect, what, detail }: EffectStep) => element('li', {},
  element('span', { class: `badge ${effect}` }, titles[effect]),
  element('div', {}, element('p', { class: 'name' }, what), ...(detail === '' ? [] : [element('p', { class: 'soft' }, detail)])))

const columns = ['Field', 'Running', 'Edited', 'Effect']

function tableOf (fields: readonly FieldEffect[]): HTMLElement {
  const head = element('thead', {}, element('tr', {}, ...columns.map(title => element('th', { scope: 'col' }, title))))
  const rows = fields.map(({ field, before, after, effect }) => element('tr', {},
    element('th', { scope: 'row', class: 'code' }, field), element('td', { class: 'code' }, before), element('td', { class: 'code' }, after),
    element('td', {}, effect)))
  return element('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Fields that differ' },
    element('table', {}, head, element('tbody', {}, ...rows)))
}

function tone (effects: readonly EffectKind[]): string {
  if (effects.includes('refuse')) return 'bad'
  return effects.includes('restart') || effects.includes('stop') ? 'warn' : 'good'
}
