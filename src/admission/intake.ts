import type { FastifyInstance, FastifyRequest, onRequestHookHandler } from 'fastify'
import type { IncomingMessage } from 'node:http'
import { BodyBudget, BodyRefused, ordinarySize, parseBody, receive, receiveOrdinary } from './body.ts'

/**
 * The limit of a BodyBudget: four bodies of the maximum size. Together with 500 requests of ordinary size (64 MB) and the memory to parse
 * one body (150 MB at most), the process stays below the memory limit of the container.
 */
export const mostBytes = 28 * 1024 * 1024

export interface IntakeOptions {
  /** Maximum number of concurrent reviews, from the first byte of the request to the last byte of the answer. */
  readonly maxInFlight: number
}

/** Gives back the part of the budget that a request uses. */
const releases = new WeakMap<object, () => void>()

/** Releases the body. Values that were read from it stay valid. */
export function forgetBody (request: FastifyRequest): void {
  request.body = undefined
  releases.get(request)?.()
}

/**
 * Limits the resources of requests before they are parsed. Beyond the limit, a request gets a 429 with Retry-After, and the client of the
 * API server retries.
 */
export function boundIntake (app: FastifyInstance, { maxInFlight }: IntakeOptions): { readonly onRequest: onRequestHookHandler } {
  const budget = new BodyBudget(mostBytes)
  let inFlight = 0

  // Fastify's parser refuses `__proto__` with a 400, and the API server would treat the webhook as broken. JSON.parse treats it like any
  // other key, and the code here reads own properties only.
  app.removeAllContentTypeParsers()
  type Done = (error: Error | null, body?: unknown) => void
  app.addContentTypeParser('application/json', (request: FastifyRequest, payload: IncomingMessage, done: Done) => {
    const announced = Number(request.headers['content-length'])
    const parse = (bytes: Buffer) => {
      try {
        done(null, parseBody(bytes))
      } catch (error) {
        done(error as Error)
      }
    }
    if (announced <= ordinarySize) return receiveOrdinary(payload, (error, bytes) => { bytes ? parse(bytes) : done(error) })
    receive(payload, announced, budget).then(({ bytes, release }) => {
      releases.set(request, release)
      request.raw.once('close', release)
      parse(bytes)
    }, done)
  })

  return {
    onRequest: (_request, reply, done) => {
      if (inFlight >= maxInFlight) return done(new BodyRefused(429, 'too many reviews at once'))
      inFlight++
      // Node emits it once, after the last byte of the answer or when the client is gone.
      reply.raw.once('close', () => { inFlight-- })
      done()
    },
  }
}
