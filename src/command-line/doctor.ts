import { examine } from '../doctor/steps.ts'
import { open } from './live.ts'

export interface DoctorOptions {
  readonly kubeconfig: string
  readonly context?: string
  readonly namespace: string
}

/** Milliseconds for all steps together. */
const patience = 60_000

const marks = { yes: '✓', no: '✗', unknown: '?' } as const

/** Prints each step as it is done. Resolves with the exit code: 1 when something is wrong. @throws {UsageError} */
export async function doctor ({ kubeconfig, context, namespace }: DoctorOptions): Promise<number> {
  const client = await open(kubeconfig, context)
  const patient = { client, namespace, signal: AbortSignal.timeout(patience) }
  let wrong = 0
  try {
    for await (const { title, diagnosis: { healthy, detail, fix } } of examine(patient)) {
      if (healthy === 'no') wrong++
      process.stdout.write(`${marks[healthy]} ${title.padEnd(25)} ${detail}\n${fix === undefined ? '' : `  → ${fix}\n`}`)
    }
  } finally {
    client.close()
  }
  process.stdout.write(wrong === 0 ? '\nNothing is known to be wrong.\n' : `\n${wrong} ${wrong === 1 ? 'thing is' : 'things are'} wrong.\n`)
  return wrong === 0 ? 0 : 1
}
