import type { Picture, PictureNode } from '../../contract.ts'
import { element } from '../element.ts'

const columns: readonly PictureNode['column'][] = ['access', 'server', 'needs', 'class']
const box = { width: 172, height: 64, gapX: 28, gapY: 14, margin: 4 }
/** Characters that fit into a box. */
const longest = { name: 20, detail: 25 }

/** The objects, from the Services on the left to what the server needs on the right. What is missing is red, and says so. */
export function picturePane (picture: Picture, name: string): HTMLElement[] {
  const missing = picture.nodes.filter(({ presence }) => presence === 'missing')
  return [
    ...(missing.length === 0
      ? [element('p', { class: 'lead' }, 'Everything that the server needs exists, or is created with it.')]
      : [element('p', { class: 'note bad' }, `Missing: ${missing.map(({ kind, name }) => `${kind} ${name}`).join(', ')}.`)]),
    element('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `Picture of ${name}` }, drawing(picture, name)),
    element('details', { class: 'object' }, element('summary', {}, 'The same as a list'), element('ul', { class: 'list' },
      ...picture.nodes.map(({ kind, name, detail, presence }) => element('li', {}, `${kind} ${name}: ${detail}${presence === 'missing' ? ' (missing)' : ''}`)))),
  ]
}

interface Placed extends PictureNode { readonly x: number, readonly y: number }

/** Each column is centred. */
function layout ({ nodes }: Picture) {
  const used = columns.filter(column => nodes.some(node => node.column === column))
  const rows = Math.max(...used.map(column => nodes.filter(node => node.column === column).length), 1)
  const height = rows * box.height + (rows - 1) * box.gapY + 2 * box.margin
  const placed = used.flatMap((column, index) => {
    const own = nodes.filter(node => node.column === column)
    const top = (height - own.length * box.height - (own.length - 1) * box.gapY) / 2
    const x = box.margin + index * (box.width + box.gapX)
    return own.map((node, row): Placed => ({ ...node, x, y: top + row * (box.height + box.gapY) }))
  })
  return { placed, width: used.length * box.width + (used.length - 1) * box.gapX + 2 * box.margin, height }
}

function drawing (picture: Picture, name: string): SVGElement {
  const { placed, width, height } = layout(picture)
  const find = (id: string) => placed.find(node => node.id === id)
  const lines = picture.edges.flatMap(({ from, to }) => {
    const [a, b] = [find(from), find(to)]
    return a && b ? [curve(a, b)] : []
  })
  return svg('svg', { viewBox: `0 0 ${width} ${height}`, width: String(width), height: String(height), role: 'img', 'aria-label': `The objects of ${name} and how they depend on each other`, class: 'picture' }, ...lines, ...placed.map(node => drawn(node, name)))
}

function curve (a: Placed, b: Placed): SVGElement {
  const [x1, y1, x2, y2] = [a.x + box.width, a.y + box.height / 2, b.x, b.y + box.height / 2]
  const middle = (x1 + x2) / 2
  return svg('path', { d: `M${x1} ${y1} C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`, class: b.presence === 'missing' ? 'edge missing' : 'edge' })
}

function drawn ({ x, y, kind, name, detail, presence }: Placed, server: string): SVGElement {
  const text = (content: string, dy: number, style: string) => svg('text', { x: String(x + 13), y: String(y + dy), class: style }, content)
  return svg('g', { class: `node ${presence}` },
    svg('title', {}, `${kind} ${name}: ${detail}`),
    svg('rect', { x: String(x), y: String(y), width: String(box.width), height: String(box.height), rx: '9' }),
    text(presence === 'missing' ? `${shortKinds[kind] ?? kind} · missing` : shortKinds[kind] ?? kind, 19, 'node-kind'),
    text(cut(short(name, server), longest.name), 37, 'node-name'), text(cut(detail, longest.detail), 53, 'node-detail'))
}

/** As wide as a box. */
const shortKinds: Readonly<Record<string, string>> = { PersistentVolumeClaim: 'Volume', CustomResourceDefinition: 'CRD', PerconaPGCluster: 'PostgreSQL cluster' }

/** The names of all objects of a server contain its name, which stands in the middle of the picture. */
function short (name: string, server: string): string {
  if (name.endsWith(`-${server}-0`)) return name.slice(0, -server.length - 3)
  return name.startsWith(`${server}-`) ? name.slice(server.length + 1) : name
}

const cut = (text: string, longest: number) => text.length <= longest ? text : `${text.slice(0, longest - 1)}…`

function svg (tag: string, attributes: Readonly<Record<string, string>>, ...children: readonly (Node | string)[]): SVGElement {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  made.append(...children)
  return made
}
