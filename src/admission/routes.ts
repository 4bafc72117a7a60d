import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Cluster } from '../cluster/cluster.ts'
import type { Metrics } from '../metrics.ts'
import type { Policy } from '../rules/policy.ts'
import { admitMutation, admitValidation, type Admission } from './admit.ts'
import { boundIntake, forgetBody, type IntakeOptions } from './intake.ts'
import { lookupBudget } from './lookup-budget.ts'
import { allowedWith, refusedWith } from './respond.ts'
import { reviewRecorder } from './review-log.ts'
import { parseReview, reviewOf, type AdmissionRequest, type RequestHead } from './review.ts'

export interface AdmissionOptions extends IntakeOptions {
  readonly cluster: Cluster
  readonly policy: Policy
  readonly metrics: Metrics
  /** Called with each answered review. */
  readonly onReview?: ((webhook: 'mutate' | 'validate', request: RequestHead, admission: Admission, milliseconds: number) => void) | undefined
  /** The server will stop soon, and clients should send their next request to another replica. */
  readonly draining?: () => boolean
}

type Admit = (request: AdmissionRequest, budget: number) => Admission | Promise<Admission>

/** `POST /mutate` and `POST /validate`: an AdmissionReview in, an AdmissionReview out. */
export function admissionRoutes (app: FastifyInstance, options: AdmissionOptions): void {
  const { cluster, policy, metrics, onReview, draining = () => false } = options
  const record = reviewRecorder(app.log, metrics)
  const { onRequest } = boundIntake(app, options)
  const endConnection = endOfConnections(app, draining)

  const route = (webhook: 'mutate' | 'validate', admit: Admit, onFault: typeof faultOfMutation) => {
    let count = 0
    metrics.webhookInFlight(webhook, () => count)
    const latency = metrics.webhookLatency.labels(webhook)
    const answered = metrics.webhookRequests.labels(webhook, '200')
    // Starts the counter at 0: an alert compares it with the number of changes.
    answered.inc(0)
    const onError = (_request: unknown, reply: FastifyReply, { statusCode }: { statusCode?: number }, done: () => void) => {
      metrics.webhookRequests.inc({ webhook, code: statusCode ?? 500 })
      endConnection(reply)
      done()
    }
    const finish = (started: number) => {
      answered.inc()
      latency.observe((performance.now() - started) / 1000)
    }
    const succeed = (head: RequestHead, admission: Admission, started: number, reply: FastifyReply) => {
      const milliseconds = performance.now() - started
      record(webhook, head, admission, milliseconds)
      onReview?.(webhook, head, admission, milliseconds)
      endConnection(reply)
      return reviewOf(admission.response)
    }
    const fail = (head: RequestHead, error: unknown) => {
      metrics.webhookPanics.inc()
      app.log.error({ err: error, webhook, uid: head.uid, namespace: head.namespace, name: head.name }, 'review failed')
      return reviewOf(onFault(head))
    }
    const wait = async (head: RequestHead, admission: Promise<Admission>, started: number, reply: FastifyReply) => {
      count++
      try {
        return succeed(head, await admission, started, reply)
      } catch (error) {
        return fail(head, error)
      } finally {
        count--
        finish(started)
      }
    }
    /** Keeps no reference to the objects while lookups are pending. */
    const begin = (httpRequest: FastifyRequest, request: AdmissionRequest) => {
      const { timeout } = httpRequest.query as { timeout?: unknown }
      try {
        return admit(request, lookupBudget(timeout))
      } finally {
        forgetBody(httpRequest)
      }
    }
    // Not async: if all facts are known, the review is answered at once.
    app.post(`/${webhook}`, { onRequest, onError }, (httpRequest, reply) => {
      const started = performance.now()
      const request = parseReview(httpRequest.body)
      let response
      try {
        const admission = begin(httpRequest, request)
        if (admission instanceof Promise) return wait(request.head, admission, started, reply)
        response = succeed(request.head, admission, started, reply)
      } catch (error) {
        response = fail(request.head, error)
      }
      finish(started)
      return response
    })
  }

  route('mutate', request => admitMutation(request), faultOfMutation)
  route('validate', (request, budget) => admitValidation(request, cluster, policy, budget), faultOfValidation)
}

/** Ends connections that were opened before the stop, because the server would wait for their next request. */
function endOfConnections (app: FastifyInstance, draining: () => boolean): (reply: FastifyReply) => void {
  let closing = false
  app.addHook('preClose', done => {
    closing = true
    done()
  })
  return reply => { if (closing || draining()) void reply.header('connection', 'close') }
}

/** The CRD has the same default, so a bug in the operator must not block an object. */
const faultOfMutation = (head: RequestHead) =>
  allowedWith(head, 'dittofs-operator could not apply its defaults; those of the CustomResourceDefinition hold')

/** An object that was not judged is denied. */
const faultOfValidation = (head: RequestHead) =>
  refusedWith(head, 500, 'InternalError', `dittofs-operator could not judge the object; its log has the cause under uid ${head.uid}`)
