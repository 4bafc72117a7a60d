import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Cluster } from '../cluster/cluster.ts'
import type { Metrics } from '../metrics.ts'
import type { Policy } from '../rules/policy.ts'
import { admitMutation, admitValidation, type Admission } from './admit.ts'
import { lookupBudget } from './deadline.ts'
import { allowedWith, refusedWith } from './respond.ts'
import { parseReview, reviewOf, type AdmissionRequest } from './review.ts'

export interface AdmissionOptions {
  readonly cluster: Cluster
  readonly policy: Policy
  readonly metrics: Metrics
  /** Most reviews answered at once; one more is refused at once rather than answered too late. */
  readonly maxInFlight: number
}

type Admit = (request: AdmissionRequest, budget: number) => Admission | Promise<Admission>

/** `POST /mutate` and `POST /validate`: an AdmissionReview in, an AdmissionReview out. */
export function admissionRoutes (app: FastifyInstance, { cluster, policy, metrics, maxInFlight }: AdmissionOptions): void {
  let inFlight = 0

  const route = (webhook: string, admit: Admit, onFault: typeof faultOfMutation) => {
    const count = metrics.webhookInFlight.labels(webhook)
    const latency = metrics.webhookLatency.labels(webhook)
    app.post(`/${webhook}`, {
      onRequest: async (_request, reply) => {
        if (inFlight >= maxInFlight) await reply.code(429).header('retry-after', '1').send(new TooManyReviews())
      },
    }, async httpRequest => {
      const request = parseReview(httpRequest.body)
      const started = performance.now()
      inFlight++
      count.inc()
      try {
        const { timeout } = httpRequest.query as { timeout?: unknown }
        const admission = await admit(request, lookupBudget(timeout))
        record(webhook, request, admission, httpRequest, performance.now() - started)
        return reviewOf(admission.response)
      } catch (error) {
        metrics.webhookPanics.inc()
        httpRequest.log.error({ err: error, webhook, uid: request.uid, namespace: request.namespace, name: request.name }, 'review failed')
        return reviewOf(onFault(request))
      } finally {
        inFlight--
        count.dec()
        latency.observe((performance.now() - started) / 1000)
      }
    })
    app.addHook('onResponse', (httpRequest: FastifyRequest, reply: FastifyReply, done) => {
      if (httpRequest.routeOptions.url === `/${webhook}`) metrics.webhookRequests.inc({ webhook, code: reply.statusCode })
      done()
    })
  }

  const record = (webhook: string, request: AdmissionRequest, { response, verdict }: Admission, { log }: FastifyRequest, ms: number) => {
    const { uid, operation, namespace, name, user, dryRun } = request
    const findings = verdict ? [...verdict.errors, ...verdict.warnings] : []
    for (const { rule, severity } of findings) metrics.findings.inc({ rule, severity })
    if (webhook === 'validate') {
      metrics.decisions.inc({ operation, decision: response.allowed ? 'allow' : 'deny', dry_run: String(dryRun) })
    }
    log.info({
      webhook,
      uid,
      operation,
      namespace,
      name,
      user,
      dryRun,
      allowed: response.allowed,
      patched: response.patch !== undefined,
      rules: findings.map(({ rule }) => rule),
      ms: Math.round(ms * 100) / 100,
    }, 'reviewed')
  }

  route('mutate', request => admitMutation(request), faultOfMutation)
  route('validate', (request, budget) => admitValidation(request, cluster, policy, budget), faultOfValidation)
}

class TooManyReviews extends Error {
  readonly statusCode = 429
  override readonly message = 'too many reviews at once'
}

/** The CRD has the same default, so a fault of ours must not keep an object out. */
const faultOfMutation = (request: AdmissionRequest) =>
  allowedWith(request, 'dittofs-operator could not apply its defaults; those of the CustomResourceDefinition hold')

/** An object that was not judged does not get in. */
const faultOfValidation = (request: AdmissionRequest) =>
  refusedWith(request, 500, 'InternalError', `dittofs-operator could not judge the object; its log has the cause under uid ${request.uid}`)
