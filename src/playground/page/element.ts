type Child = Node | string | undefined

/** A DOM element; `on…` are listeners, everything else is an attribute. Text is never parsed as HTML. */
export function element<Tag extends keyof HTMLElementTagNameMap> (
  tag: Tag, attributes: Readonly<Record<string, string | boolean | (() => void)>> = {}, ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(name.slice(2), value)
    else if (value !== false) made.setAttribute(name, value === true ? '' : value)
  }
  made.append(...children.filter(child => child !== undefined))
  return made
}

/** An element of index.html. */
export function byId<Kind extends HTMLElement = HTMLElement> (id: string): Kind {
  const found = document.getElementById(id)
  if (!found) throw new Error(`index.html has no #${id}`)
  return found as Kind
}
