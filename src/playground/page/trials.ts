import type { Trial, TryRequest } from '../contract.ts'

/** Asks the server about each state of the document: one request at a time, and the newest state next. */
export function trials (request: () => TryRequest, show: (trial: Trial) => void, fail: (message: string) => void): () => void {
  let [isAsking, isStale] = [false, false]
  const ask = async () => {
    if (isAsking) {
      isStale = true
      return
    }
    isAsking = true
    try {
      do {
        isStale = false
        const [headers, body] = [{ 'content-type': 'application/json' }, JSON.stringify(request())]
        const reply = await fetch('/api/try', { method: 'POST', headers, body })
        if (!reply.ok) throw new Error((await reply.text()).trim())
        show(await reply.json() as Trial)
      } while (isStale)
    } catch (error) {
      fail(error instanceof TypeError ? 'The server does not answer. Is it still running?' : (error as Error).message)
    } finally {
      isAsking = false
    }
  }
  return () => { void ask() }
}
