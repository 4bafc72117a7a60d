/** One command of a page, as a reader types it: with the lines that continue it, and its comment. */
export interface Command {
  readonly page: string
  /** The heading above it. */
  readonly section: string
  readonly line: number
  readonly text: string
  /** It stands in a comment: `# or: …`. It needs another state of things than the lines around it. */
  readonly isAlternative: boolean
  /** It stands in running text, in no block. */
  readonly isInline?: boolean
  /** Of a block `console`: what the page shows of its output. */
  readonly output?: string
}

interface Block { readonly language: string, readonly section: string, readonly line: number, readonly lines: readonly string[] }

const commandLanguages: ReadonlySet<string> = new Set(['sh', 'bash', 'shell', 'console'])

/** Every fenced block, whatever its language. @throws for one that has no end */
function blocksOf (page: string, text: string): Block[] {
  const blocks: Block[] = []
  let section = ''
  let open: { indent: number, fence: string, language: string, line: number, lines: string[] } | undefined
  for (const [index, line] of text.split('\n').entries()) {
    const [, indent = '', fence, language = ''] = /^( *)(```+|~~~+) *([\w-]*)/.exec(line) ?? []
    if (open) {
      if (fence === open.fence && language === '') {
        blocks.push({ ...open, section })
        open = undefined
      } else {
        open.lines.push(line.slice(Math.min(open.indent, line.search(/\S|$/))))
      }
    } else if (fence) {
      open = { indent: indent.length, fence, language, line: index + 1, lines: [] }
    } else {
      section = /^#+ +(.*?) *$/.exec(line)?.[1] ?? section
    }
  }
  if (open) throw new Error(`${page}:${open.line}: the block has no end`)
  return blocks
}

/** Lines of a script, each with those that continue it: after a backslash, a pipe, or the beginning of a here-document. */
function * statements (lines: readonly string[]): Generator<{ readonly offset: number, readonly text: string }> {
  let text = ''
  for (const [offset, line] of lines.entries()) {
    text = text === '' ? line : `${text}\n${line}`
    if (/(\\|\|)\s*$/.test(line) || isOpenDocument(text)) continue
    if (text.trim() !== '') yield { offset: offset - text.split('\n').length + 1, text: text.trim() }
    text = ''
  }
  if (text.trim() !== '') yield { offset: lines.length - 1, text: text.trim() }
}

/** `command <<END`, without the line `END`. */
function isOpenDocument (text: string): boolean {
  const [first = '', ...rest] = text.split('\n')
  const [, end] = /<<'?(\w+)'?/.exec(first) ?? []
  return end !== undefined && !rest.includes(end)
}

function scripted (page: string, { section, line, lines }: Block): Command[] {
  return [...statements(lines)].flatMap(({ offset, text }) => {
    const place = { page, section, line: line + 1 + offset }
    const [, alternative] = /(?:^|\s)# or: (.*)$/.exec(text) ?? []
    const own = text.startsWith('#') ? [] : [{ ...place, text, isAlternative: false }]
    return [...own, ...alternative === undefined ? [] : [{ ...place, text: alternative, isAlternative: true }]]
  })
}

/** `$ command`, followed by what it prints. */
function shown (page: string, { section, line, lines }: Block): Command[] {
  return lines.flatMap((text, index) => {
    if (!text.startsWith('$ ')) return []
    const next = lines.findIndex((other, at) => at > index && other.startsWith('$ '))
    const output = lines.slice(index + 1, next < 0 ? undefined : next).join('\n')
    return [{ page, section, line: line + 1 + index, text: text.slice(2), isAlternative: false, output }]
  })
}

/** Whole commands of kubectl in the running text of a page: those with arguments. Pure. */
export function inlineCommandsOf (page: string, text: string): Command[] {
  let section = ''
  let isOpen = false
  return text.split('\n').flatMap((line, index) => {
    if (/^ *(```|~~~)/.test(line)) isOpen = !isOpen
    if (isOpen) return []
    section = /^#+ +(.*?) *$/.exec(line)?.[1] ?? section
    return [...line.matchAll(/`(kubectl (?:-n \S+ )?[a-z-]+ [^`]+)`/g)].map(([, found = '']) =>
      ({ page, section, line: index + 1, text: found, isAlternative: false, isInline: true }))
  })
}

/** Every command of the fenced blocks of a page in Markdown, in order. Pure. */
export function commandsOf (page: string, text: string): Command[] {
  return blocksOf(page, text).filter(({ language }) => commandLanguages.has(language)).flatMap(block =>
    block.language === 'console' ? shown(page, block) : scripted(page, block))
}
