import type { FastifyBaseLogger } from 'fastify'
import type { Metrics } from '../metrics.ts'
import type { Admission } from './admit.ts'
import type { AdmissionRequest } from './review.ts'

/** Others are let through unseen, and must not make a metric of their own each. */
const operations = new Set(['CREATE', 'UPDATE', 'DELETE', 'CONNECT'])

/** One log line and the counts of each review that was answered. */
export function reviewRecorder (log: FastifyBaseLogger, metrics: Metrics) {
  // To find a counter by its labels costs more than to count.
  const counters = new Map<string, { inc: () => void }>()
  const decided = (operation: string, allowed: boolean, dryRun: boolean) => {
    const key = `${operation} ${allowed} ${dryRun}`
    let counter = counters.get(key)
    if (!counter) {
      const known = operations.has(operation) ? operation : 'other'
      counter = metrics.decisions.labels(known, allowed ? 'allow' : 'deny', String(dryRun))
      if (known === operation) counters.set(key, counter)
    }
    counter.inc()
  }

  return (webhook: 'mutate' | 'validate', request: AdmissionRequest, { response, verdict }: Admission, milliseconds: number): void => {
    const { uid, operation, namespace, name, user, dryRun } = request
    const { allowed, patch } = response
    const findings = verdict ? [...verdict.errors, ...verdict.warnings] : []
    for (const { rule, severity } of findings) metrics.findings.inc({ rule, severity })
    if (webhook === 'validate') decided(operation, allowed, dryRun)
    log.info({
      webhook,
      uid,
      operation,
      namespace,
      name,
      user,
      dryRun,
      allowed,
      ...(patch === undefined ? {} : { patched: true }),
      ...(findings.length === 0 ? {} : { rules: findings.map(({ rule }) => rule) }),
      ms: Math.round(milliseconds * 100) / 100,
    }, 'reviewed')
  }
}
