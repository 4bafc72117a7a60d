/** One measured value, and the baseline that was measured in the same run. */
export interface Figure {
  readonly what: string
  readonly value: number
  readonly unit: string
  /** Absent: there is no baseline, and the goal applies to the figure itself. */
  readonly baseline?: { readonly what: string, readonly value: number }
  /** The maximum of the ratio to the baseline, or of the figure if there is no baseline. */
  readonly goal?: number
}

/** Whether the goal is met. Undefined: there is no goal. */
export function isMet ({ value, baseline, goal }: Figure): boolean | undefined {
  if (goal === undefined) return undefined
  return (baseline ? value / baseline.value : value) <= goal
}

const digits = (value: number) => value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2)

function cells (figure: Figure): string[] {
  const { what, value, unit, baseline, goal } = figure
  const met = isMet(figure)
  return [
    what,
    `${digits(value)} ${unit}`,
    baseline ? `${digits(baseline.value)} ${unit} (${baseline.what})` : '',
    baseline ? digits(value / baseline.value) : '',
    goal === undefined ? '' : `${digits(goal)}${baseline ? '' : ` ${unit}`}`,
    met === undefined ? '' : met ? 'met' : 'missed',
  ]
}

/** Formats the figures as a Markdown table, which is also readable in a terminal. */
export function table (figures: readonly Figure[]): string {
  const rows = [['What', 'Figure', 'Baseline', 'Ratio', 'Goal', ''], ...figures.map(cells)]
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0), 3)) ?? []
  const line = (row: readonly string[]) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const [head = [], ...body] = rows
  return [line(head), line(widths.map(width => '-'.repeat(width))), ...body.map(line)].join('\n')
}

/** Prints the table. If `npm run bench` has started this program, also sends the figures to it. */
export function report (figures: readonly Figure[]): void {
  process.stdout.write(`\n${table(figures)}\n`)
  process.send?.(figures)
}

export const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * q)] ?? NaN
export const median = (values: readonly number[]): number => quantile(values, 0.5)
