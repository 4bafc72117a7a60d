import { examine, type Examined } from '../doctor/steps.ts'
import type { Status } from '../doctor/examination.ts'
import { webhookService } from '../manifests/webhooks.ts'
import { open } from './live.ts'
import { ownNamespace } from './own-namespace.ts'
import type { Terminal } from './terminal.ts'

export interface DoctorOptions {
  readonly kubeconfig?: string
  readonly context?: string
  /** Namespace of the operator. Default: the namespace of the current pod, otherwise the one in the manifests. */
  readonly namespace?: string
  readonly output: 'text' | 'json'
}

/** Time limit for all steps together, in milliseconds. */
const patience = 60_000

const marks = { ok: '✓', warning: '!', wrong: '✗', unknown: '?' } as const satisfies Record<Status, string>

const line = ({ title, diagnosis: { status, detail, fix } }: Examined) =>
  `${marks[status]} ${title.padEnd(25)} ${detail}\n${fix === undefined ? '' : `  → ${fix}\n`}`

const things = (count: number, what: string) => `${count} ${count === 1 ? 'thing' : 'things'} ${what}`

function summary (count: (status: Status) => number): string {
  const parts = [
    ...count('wrong') > 0 ? [`${things(count('wrong'), count('wrong') === 1 ? 'is wrong' : 'are wrong')}`] : [],
    ...count('warning') > 0 ? [`${things(count('warning'), 'could be better')}`] : [],
    ...count('unknown') > 0 ? [`${things(count('unknown'), 'could not be checked')}`] : [],
  ]
  return parts.length === 0 ? 'Everything is as it should be.' : `${parts.join(', ')}.`
}

/**
 * Prints each step when it is done. Resolves with the exit code: 1 if something is wrong, 3 if something could not be checked and nothing
 * is known to be wrong. @throws {UsageError}
 */
export async function doctor ({ namespace: given, output, ...cluster }: DoctorOptions, { print }: Terminal): Promise<number> {
  const { client, inCluster } = await open(cluster)
  const namespace = given ?? (inCluster ? ownNamespace() : undefined) ?? webhookService.namespace
  const patient = { client, namespace, signal: AbortSignal.timeout(patience), read: new Map() }
  const examined: Examined[] = []
  try {
    for await (const one of examine(patient)) {
      examined.push(one)
      if (output === 'text') print(line(one))
    }
  } finally {
    client.close()
  }
  const count = (status: Status) => examined.filter(({ diagnosis }) => diagnosis.status === status).length
  if (output === 'text') print(`\n${summary(count)}\n`)
  else print(`${JSON.stringify({ namespace, steps: examined.map(({ title, diagnosis }) => ({ title, ...diagnosis })) }, undefined, 2)}\n`)
  return count('wrong') > 0 ? 1 : count('unknown') > 0 ? 3 : 0
}
