import type { Readable } from 'node:stream'

/** The terminal that a person looks at. */
export interface Screen {
  /** Whether colours are wanted: https://no-color.org */
  readonly colours: boolean
  readonly columns: () => number
  readonly rows: () => number
  /** Calls `resized` until the returned function is called. */
  readonly onResize: (resized: () => void) => () => void
}

/** The input and output of a command that runs once. */
export interface Terminal {
  readonly input: Readable
  /** Writes results. */
  readonly print: (text: string) => void
  /** Writes one line of additional information for the user. */
  readonly say: (line: string) => void
  /** Absent: the results go to a file or to another program. */
  readonly screen?: Screen | undefined
}

export const processTerminal: Terminal = {
  get input () { return process.stdin },
  print: text => { process.stdout.write(text) },
  say: line => { process.stderr.write(`${line}\n`) },
  get screen () { return process.stdout.isTTY ? processScreen : undefined },
}

const processScreen: Screen = {
  get colours () { return !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb' },
  // A terminal that was not told its size has none.
  columns: () => process.stdout.columns || 80,
  rows: () => process.stdout.rows || 24,
  onResize: resized => {
    process.stdout.on('resize', resized)
    return () => { process.stdout.off('resize', resized) }
  },
}
