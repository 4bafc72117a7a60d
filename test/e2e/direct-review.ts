import { request } from 'node:https'
import { json } from 'node:stream/consumers'
import type { Answer } from '../admission/webhook.ts'
import { review, server } from '../admission/webhook.ts'

/** Sends a review as the API server would, with its `?timeout=`. */
export async function reviewOf ({ host, port, caPem }: { host: string, port: number, caPem: string }, spec: object, timeout: string) {
  const { promise, resolve, reject } = Promise.withResolvers<NonNullable<Answer['body']['response']>>()
  const outgoing = request({
    host, port, path: `/validate?timeout=${timeout}`, method: 'POST', ca: caPem, agent: false, headers: { 'content-type': 'application/json' },
  }, reply => {
    json(reply).then(body => {
      const { response } = body as Answer['body']
      if (response) resolve(response)
      else reject(new Error(JSON.stringify(body)))
    }, reject)
  })
  outgoing.on('error', reject)
  outgoing.end(JSON.stringify(review({ object: server(spec) })))
  return await promise
}
