import type { FastifyBaseLogger } from 'fastify'
import { remembered } from '../metric-children.ts'
import type { Metrics } from '../metrics.ts'
import type { Finding } from '../rules/finding.ts'
import type { Admission } from './admit.ts'
import type { RequestHead } from './review.ts'

/** Other operations are allowed without a check, and must not create one metric series each. */
const operations = new Set(['CREATE', 'UPDATE', 'DELETE', 'CONNECT'])

/** Writes one log line and updates the metrics for each answered review. */
export function reviewRecorder (log: FastifyBaseLogger, metrics: Metrics) {
  const counted = counters(metrics)
  return (webhook: 'mutate' | 'validate', request: RequestHead, { response, verdict }: Admission, milliseconds: number): void => {
    const { uid, operation, namespace, name, user, dryRun } = request
    const { allowed, patch } = response
    const findings = verdict ? [...verdict.errors, ...verdict.warnings] : []
    for (const finding of findings) counted.finding(finding)
    if (webhook === 'validate') counted.decision(operation, allowed, dryRun)
    // Nearly all reviews are like this, and they are rarely of interest. An object of another kind has a warning without a rule.
    const level = allowed && findings.length === 0 && response.warnings === undefined ? 'debug' : 'info'
    log[level]({
      webhook,
      uid,
      operation,
      namespace,
      name,
      user,
      dryRun,
      allowed,
      // pino leaves undefined values out.
      patched: patch === undefined ? undefined : true,
      rules: findings.length === 0 ? undefined : findings.map(({ rule }) => rule),
      ms: Math.round(milliseconds * 100) / 100,
    }, 'reviewed')
  }
}

function counters ({ decisions, findings }: Metrics) {
  const decisionsOf = remembered((operation: string, decision: string, dryRun: string) => decisions.labels(operation, decision, dryRun))
  const findingsOf = remembered((rule: string, severity: string) => findings.labels(rule, severity))
  return {
    decision: (asked: string, allowed: boolean, dryRun: boolean) => {
      decisionsOf(operations.has(asked) ? asked : 'other', allowed ? 'allow' : 'deny', String(dryRun)).inc()
    },
    finding: ({ rule, severity }: Finding) => { findingsOf(rule, severity).inc() },
  }
}
