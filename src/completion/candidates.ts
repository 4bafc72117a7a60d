import type { Command, Option } from 'commander'

/** Names that only a cluster or a kubeconfig knows. Each resolves with no names if they cannot be found out quickly. */
export interface Names {
  readonly servers: (cluster: ChosenCluster) => Promise<readonly string[]>
  readonly namespaces: (cluster: ChosenCluster) => Promise<readonly string[]>
  readonly contexts: (cluster: ChosenCluster) => Promise<readonly string[]>
}

/** The cluster that the words before choose. */
export interface ChosenCluster { readonly kubeconfig?: string, readonly context?: string, readonly namespace?: string }

export interface Candidate { readonly word: string, readonly description: string }

export interface Completion {
  readonly candidates: readonly Candidate[]
  /** The shell completes names of files. */
  readonly files: boolean
}

const none: Completion = { candidates: [], files: false }
const files: Completion = { candidates: [], files: true }
const plain = (words: readonly string[]): Completion => ({ candidates: words.map(word => ({ word, description: '' })), files: false })

/** By the name of an option or of an argument: who knows its values. */
const sources: Readonly<Record<string, keyof Names | 'files'>> = {
  name: 'servers', namespace: 'namespaces', watchNamespace: 'namespaces', context: 'contexts', kubeconfig: 'files', filename: 'files', state: 'files', previous: 'files',
}

/**
 * What the last of the words may become; only those that begin with it. `words`: those behind the name of the program; the last one may be
 * empty.
 */
export async function complete (program: Command, words: readonly string[], names: Names): Promise<Completion> {
  const current = words.at(-1) ?? ''
  const { command, given, positional, open } = parse(program, words.slice(0, -1))
  const [, flag, value] = /^(--[a-z-]+)=(.*)$/s.exec(current) ?? []
  if (flag !== undefined && value !== undefined) {
    const option = find(command, flag)
    return option ? prefixed(await valuesOf(option, given, names), `${flag}=`, value) : none
  }
  if (open) return matching(await valuesOf(open, given, names), current)
  if (current.startsWith('-')) return matching({ candidates: optionsOf(command), files: false }, current)
  return matching(await argumentsOf(command, positional, given, names), current)
}

interface Parsed {
  readonly command: Command
  readonly given: ChosenCluster
  /** The number of arguments before the last word. */
  readonly positional: number
  /** The option whose value is the last word. */
  readonly open: Option | undefined
}

function parse (program: Command, words: readonly string[]): Parsed {
  let command = program
  let open: Option | undefined
  let positional = 0
  const given: Record<string, string> = {}
  for (const word of words) {
    const [, flag, value] = /^(--[a-z-]+)=(.*)$/s.exec(word) ?? []
    const subcommand = command.commands.find(each => each.name() === word)
    if (open) {
      given[open.attributeName()] = word
      open = undefined
    } else if (flag !== undefined) {
      const option = find(command, flag)
      if (option) given[option.attributeName()] = value ?? ''
    } else if (word.startsWith('-')) {
      const option = find(command, word)
      open = option && (option.required || option.optional) ? option : undefined
    } else if (subcommand) command = subcommand
    else positional++
  }
  return { command, given, positional, open }
}

const find = ({ options }: Command, flag: string) => options.find(({ short, long }) => short === flag || long === flag)

const optionsOf = ({ options }: Command): Candidate[] =>
  options.filter(({ hidden }) => !hidden).flatMap(({ long, description }) => long ? [{ word: long, description }] : [])

async function valuesOf (option: Option, given: ChosenCluster, names: Names): Promise<Completion> {
  if (option.argChoices) return plain(option.argChoices)
  return await from(sources[option.attributeName()], given, names)
}

async function argumentsOf (command: Command, positional: number, given: ChosenCluster, names: Names): Promise<Completion> {
  // `_hidden` has no public reader; a command that the help does not show is not offered either.
  const visible = command.createHelp().visibleCommands(command)
  if (visible.length > 0) return { candidates: visible.map(each => ({ word: each.name(), description: each.description() })), files: false }
  const argument = command.registeredArguments[positional]
  if (argument?.argChoices) return plain(argument.argChoices)
  return await from(argument && sources[argument.name()], given, names)
}

async function from (source: keyof Names | 'files' | undefined, given: ChosenCluster, names: Names): Promise<Completion> {
  if (source === 'files') return files
  return source ? plain(await names[source](given)) : none
}

const matching = ({ candidates, files }: Completion, start: string): Completion =>
  ({ candidates: candidates.filter(({ word }) => word.startsWith(start)), files })

function prefixed (completion: Completion, prefix: string, start: string): Completion {
  const { candidates, files } = matching(completion, start)
  return { candidates: candidates.map(({ word, description }) => ({ word: `${prefix}${word}`, description })), files }
}

/**
 * In the format that the completion of kubectl reads from plugins: one candidate in each line, and in the last line a number, which says
 * whether the shell should offer files. https://pkg.go.dev/github.com/spf13/cobra#ShellCompDirective
 */
export function toLines ({ candidates, files }: Completion): string {
  const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ').trim()
  const lines = candidates.map(({ word, description }) => description === '' ? word : `${word}\t${oneLine(description)}`)
  return [...lines, `:${files ? 0 : 4}`, ''].join('\n')
}
