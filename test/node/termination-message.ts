import { readFile } from 'node:fs/promises'
import type { ContainerSpec } from './pod.ts'

const maxBytes = 4096
const maxLogBytes = 2048
const maxLogLines = 80

/**
 * The text for `terminated.message` of a program that has ended: the start of the file at `terminationMessagePath`, or, if that is empty
 * and the policy says so, the end of its log. https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/
 */
export async function terminationMessage (spec: ContainerSpec, exitCode: number, file: string, log: string): Promise<string> {
  const written = (await readFile(file)).subarray(0, maxBytes).toString()
  if (written !== '' || exitCode === 0 || spec.terminationMessagePolicy !== 'FallbackToLogsOnError') return written
  const end = (await readFile(log)).subarray(-maxLogBytes).toString()
  return end.split('\n').slice(-maxLogLines - 1).join('\n')
}
