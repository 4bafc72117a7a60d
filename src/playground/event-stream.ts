import type { ServerResponse } from 'node:http'
import type { LiveReview, LiveServer } from './contract.ts'
import type { PlaygroundOptions } from './options.ts'

/** Milliseconds between two looks at the servers, while a page is open. */
const interval = 2_000

/**
 * Server-sent events: `review` for each review, first the last ones; `servers` whenever a server is added, removed or changed.
 * https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export function streamEvents (reply: ServerResponse, { reviews, servers, log }: Pick<PlaygroundOptions, 'reviews' | 'servers' | 'log'>): void {
  reply.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
  const send = (event: string, data: unknown) => { reply.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`) }
  const review = (found: LiveReview) => { send('review', found) }
  reviews.recent.forEach(review)
  const end = reviews.listen(review)
  let [before, timer]: [string, NodeJS.Timeout | undefined] = ['', undefined]
  const look = async () => {
    const found = await servers().catch((error: unknown): readonly LiveServer[] | undefined => {
      log.debug({ err: error }, 'the servers cannot be listed')
      return undefined
    })
    const now = JSON.stringify(found)
    if (found && now !== before) send('servers', found)
    before = now
    if (!reply.closed) timer = setTimeout(() => void look(), interval)
  }
  void look()
  reply.on('close', () => {
    end()
    clearTimeout(timer)
  })
}
