import type { FastifyInstance, onRequestHookHandler } from 'fastify'
import type { Cluster } from '../cluster/cluster.ts'
import type { Metrics } from '../metrics.ts'
import type { Policy } from '../rules/policy.ts'
import { admitMutation, admitValidation, type Admission } from './admit.ts'
import { lookupBudget } from './deadline.ts'
import { reviewRecorder } from './record.ts'
import { allowedWith, refusedWith } from './respond.ts'
import { parseReview, reviewOf, type AdmissionRequest } from './review.ts'

export interface AdmissionOptions {
  readonly cluster: Cluster
  readonly policy: Policy
  readonly metrics: Metrics
  /** Most reviews answered at once; one more is refused at once rather than answered too late. */
  readonly maxInFlight: number
  /** The server will end soon: clients are to take their next request elsewhere. */
  readonly draining?: () => boolean
}

type Admit = (request: AdmissionRequest, budget: number) => Admission | Promise<Admission>

/** `POST /mutate` and `POST /validate`: an AdmissionReview in, an AdmissionReview out. */
export function admissionRoutes (app: FastifyInstance, options: AdmissionOptions): void {
  const { cluster, policy, metrics, maxInFlight, draining = () => false } = options
  const record = reviewRecorder(app.log, metrics)
  let inFlight = 0
  let closing = false
  app.addHook('preClose', done => {
    closing = true
    done()
  })

  const route = (webhook: 'mutate' | 'validate', admit: Admit, onFault: typeof faultOfMutation) => {
    let count = 0
    metrics.webhookInFlight(webhook, () => count)
    const latency = metrics.webhookLatency.labels(webhook)
    const answered = metrics.webhookRequests.labels(webhook, '200')
    const refuse: onRequestHookHandler = (_request, reply, done) => {
      if (inFlight < maxInFlight) return done()
      if (closing || draining()) void reply.header('connection', 'close')
      void reply.header('retry-after', '1')
      done(new TooManyReviews())
    }
    const countRefusal = (_request: unknown, _reply: unknown, { statusCode }: { statusCode?: number }, done: () => void) => {
      metrics.webhookRequests.inc({ webhook, code: statusCode ?? 500 })
      done()
    }
    app.post(`/${webhook}`, { onRequest: refuse, onError: countRefusal }, async (httpRequest, reply) => {
      const request = parseReview(httpRequest.body)
      const started = performance.now()
      inFlight++
      count++
      try {
        const { timeout } = httpRequest.query as { timeout?: unknown }
        const admission = await admit(request, lookupBudget(timeout))
        record(webhook, request, admission, performance.now() - started)
        // Its connection was open before the stop began, and would keep the server waiting for another request.
        if (closing || draining()) void reply.header('connection', 'close')
        return reviewOf(admission.response)
      } catch (error) {
        metrics.webhookPanics.inc()
        app.log.error({ err: error, webhook, uid: request.uid, namespace: request.namespace, name: request.name }, 'review failed')
        return reviewOf(onFault(request))
      } finally {
        inFlight--
        count--
        answered.inc()
        latency.observe((performance.now() - started) / 1000)
      }
    })
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
