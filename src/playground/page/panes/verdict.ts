import type { Remark, ServerTrial, Trial } from '../../contract.ts'
import { element } from '../element.ts'

type GoTo = (line: number, column: number) => void

/** What kubectl prints, and each finding with the way to its field. */
export function verdictPane ({ problems, servers }: Trial, goTo: GoTo): HTMLElement[] {
  const broken = problems.map(({ message, line }) => `error: line ${line}: ${message}`)
  const output = [...broken, ...servers.flatMap(({ kubectl }) => kubectl)]
  if (output.length === 0) return [element('p', { class: 'empty' }, 'The document contains no DittoServer. Choose a sample to start from.')]
  return [
    element('pre', { class: 'terminal', tabindex: '0', role: 'region', 'aria-label': 'Output of kubectl' },
      element('span', { class: 'prompt' }, '$ kubectl apply -f document.yaml\n'), ...output.map(terminalLine)),
    ...servers.flatMap(server => [...findings(server, servers.length > 1, goTo), ...created(server, servers.length > 1)]),
  ]
}

const terminalLine = (line: string) => {
  const tone = line.startsWith('Warning: ') ? 'warn' : / allowed$/.test(line) ? 'good' : 'bad'
  return element('span', { class: tone }, `${line}\n`)
}

function findings ({ name, remarks }: ServerTrial, isOneOfMany: boolean, goTo: GoTo): HTMLElement[] {
  if (remarks.length === 0) return []
  return [
    element('h2', {}, isOneOfMany ? `Findings on ${name}` : 'Findings'),
    element('ul', { class: 'findings' }, ...remarks.map(remark => finding(remark, goTo))),
  ]
}

function created ({ name, allowed, creates, operation }: ServerTrial, isOneOfMany: boolean): HTMLElement[] {
  if (!allowed || creates.length === 0 || operation === 'UPDATE') return []
  return [
    element('h2', {}, `The operator then creates${isOneOfMany ? `, for ${name}` : ''}`),
    element('dl', { class: 'created' }, ...creates.flatMap(({ kind, name }) => [element('dt', {}, kind), element('dd', {}, name)])),
  ]
}

function finding ({ severity, rule, url, field, message, line, column }: Remark, goTo: GoTo): HTMLElement {
  // The sentence has the field in front and the rule behind; both stand beside it here.
  const sentence = message.replace(`${field}: `, '').replace(` [${rule}]`, '')
  return element('li', { class: severity },
    element('div', { class: 'finding-head' },
      element('span', { class: `badge ${severity}` }, severity === 'deny' ? 'Error' : 'Warning'),
      element('button', { type: 'button', class: 'place', title: 'Show in the document', onclick: () => { goTo(line, column) } }, field || 'document', element('span', { class: 'soft' }, ` line ${line}`)),
      element('a', { href: url, target: '_blank', rel: 'noreferrer' }, rule)),
    element('p', {}, sentence))
}
