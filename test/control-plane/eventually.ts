import { setTimeout as delay } from 'node:timers/promises'

/** Waits until `probe` returns a value, and returns it. @throws a timeout, caused by the last error of `probe` */
export async function eventually<Value> (
  probe: () => Promise<Value | undefined | false>, what: string, milliseconds = 30_000,
): Promise<Value> {
  const deadline = Date.now() + milliseconds
  let last: unknown
  while (Date.now() < deadline) {
    try {
      const value = await probe()
      if (value !== undefined && value !== false) return value
    } catch (error) {
      last = error
    }
    await delay(100)
  }
  throw new Error(`not within ${milliseconds} ms: ${what}`, { cause: last })
}
