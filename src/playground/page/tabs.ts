import { element } from './element.ts'

export interface Tab { readonly id: string, readonly title: string, readonly panel: HTMLElement, readonly onShow?: () => void }

/** https://www.w3.org/WAI/ARIA/apg/patterns/tabs/ with automatic activation: panels are there already. */
export function tabs (list: HTMLElement, all: readonly Tab[]) {
  const buttons = all.map(({ id, title, panel }) => {
    panel.id ||= `panel-${id}`
    panel.setAttribute('role', 'tabpanel')
    panel.setAttribute('aria-labelledby', `tab-${id}`)
    return element('button', { type: 'button', role: 'tab', id: `tab-${id}`, 'aria-controls': panel.id, onclick: () => { show(id) } }, title)
  })
  let shown = ''
  const show = (id: string) => {
    shown = id
    for (const [index, tab] of all.entries()) {
      const isShown = tab.id === id
      buttons[index]?.setAttribute('aria-selected', String(isShown))
      buttons[index]?.setAttribute('tabindex', isShown ? '0' : '-1')
      tab.panel.hidden = !isShown
      if (isShown) tab.onShow?.()
    }
  }
  list.append(...buttons)
  list.addEventListener('keydown', event => {
    const next = target(event.key, all.findIndex(({ id }) => id === shown), all.length)
    if (next === undefined) return
    event.preventDefault()
    show(all[next]?.id ?? '')
    buttons[next]?.focus()
  })
  show(all[0]?.id ?? '')
  return {
    show,
    shown: () => shown,
    /** A short mark behind the title, such as a count. */
    mark: (id: string, text: string) => {
      const index = all.findIndex(tab => tab.id === id)
      buttons[index]?.replaceChildren(all[index]?.title ?? '', ...(text === '' ? [] : [element('span', { class: 'count' }, text)]))
    },
  }
}

function target (key: string, index: number, count: number): number | undefined {
  switch (key) {
    case 'ArrowRight': return (index + 1) % count
    case 'ArrowLeft': return (index + count - 1) % count
    case 'Home': return 0
    case 'End': return count - 1
    default: return undefined
  }
}
