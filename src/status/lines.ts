import { cut, plain } from '../dittoserver/quote.ts'
import { since } from './age.ts'
import { conditionState } from './concerns.ts'
import type { Branch, ServerTree, Stage, State } from './tree.ts'

/** How a part of a line looks on a terminal with colours. */
export type Style = State | 'faint' | 'strong' | 'plain'
export type Line = readonly (readonly [style: Style, text: string])[]

const marks = { ok: '✓', progress: '…', wrong: '✗', unknown: '?' } as const satisfies Record<State, string>
const stageMarks = { done: ['ok', '✓'], current: ['progress', '…'], waiting: ['faint', '·'] } as const satisfies Record<Stage['state'], readonly [Style, string]>
/** Columns up to the details: names that are longer are not aligned. */
const farthest = 64

/** The tree of one server, with what is wrong first. Pure. */
export function linesOf (tree: ServerTree, now: Date): Line[] {
  const { namespace, name, state, phase, generation, age, endpoint, concerns, stages, branches, conditions } = tree
  const about = [phase, `generation ${generation}`, age, endpoint].filter(Boolean).join(', ')
  return [
    [[state, `${marks[state]} `], ['strong', `DittoServer ${namespace}/${name}`], ['plain', `  ${about}`]],
    ...concerns.map(({ state, subject, message }): Line => [[state, `  ${marks[state]} ${subject}: `], ['plain', message]]),
    ...stages.length === 0 ? [] : [stagesLine(stages)],
    ...aligned(branchLines([...branches, conditionsBranch(conditions, now)], '  ')),
  ]
}

const stagesLine = (stages: readonly Stage[]): Line => [
  ['plain', '  start: '],
  ...stages.flatMap(({ title, state }, index): Line => [[stageMarks[state][0], `${index === 0 ? '' : '  '}${stageMarks[state][1]} ${title}`]]),
]

const conditionsBranch = (conditions: ServerTree['conditions'], now: Date): Branch => ({
  kind: 'Conditions',
  name: '',
  state: 'ok',
  detail: conditions.length === 0 ? 'none: no operator has looked at this server yet' : '',
  branches: conditions.map(condition => ({
    kind: condition.type,
    name: '',
    state: condition.type === 'Ready' && condition.status !== 'True' ? 'progress' : conditionState(condition, now),
    detail: `${condition.status}, ${condition.reason}, for ${since(condition.lastTransitionTime, now)}`,
  })),
})

/** The indent and the title of a branch, and its details. */
interface BranchLine {
  readonly indent: string
  readonly state: State
  readonly mark: string
  readonly title: string
  readonly detail: string
}

function branchLines (branches: readonly Branch[], indent: string): BranchLine[] {
  return branches.flatMap(({ kind, name, state, detail, branches: below = [] }, index) => {
    const isLast = index === branches.length - 1
    const line: BranchLine = {
      indent: `${indent}${isLast ? '└─' : '├─'} `,
      state,
      mark: kind === 'Conditions' ? '' : `${marks[state]} `,
      title: `${kind}${name && ` ${name}`}`,
      detail,
    }
    return [line, ...branchLines(below, `${indent}${isLast ? ' ' : '│'}  `)]
  })
}

/** With all details in one column. */
function aligned (lines: readonly BranchLine[]): Line[] {
  const widthOf = ({ indent, mark, title }: BranchLine) => [...indent, ...mark, ...title].length
  const column = Math.min(farthest, Math.max(...lines.map(widthOf)))
  return lines.map(line => [
    ['faint', line.indent],
    [line.state, line.mark],
    ['plain', line.title],
    [line.state === 'ok' ? 'faint' : 'plain', line.detail && `${' '.repeat(Math.max(0, column - widthOf(line)))}  ${line.detail}`],
  ])
}

/** The lines of several servers, with an empty line between two of them, and a sentence if there are none. Pure. */
export const linesOfAll = (trees: readonly ServerTree[], now: Date, none: string): Line[] =>
  trees.length === 0 ? [[['plain', none]]] : trees.flatMap((tree, index) => [...index === 0 ? [] : [[]], ...linesOf(tree, now)])

/** At most so many characters of a line. Text that comes from a cluster must not control the terminal. Pure. */
export function fitted (line: Line, columns: number): Line {
  let left = columns
  return line.flatMap(([style, text]) => {
    const shown = left > 0 ? cut(plain(text), left) : ''
    left -= [...shown].length
    return shown === '' ? [] : [[style, shown] as const]
  })
}
