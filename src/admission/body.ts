import type { Readable } from 'node:stream'
import { joinedChunks } from '../joined-chunks.ts'

/**
 * The API server accepts objects of up to 3 MB. The review of an UPDATE contains two; 1 MB is left for the rest.
 * https://github.com/kubernetes-sigs/controller-runtime/blob/main/pkg/webhook/admission/http.go
 */
export const bodyLimit = 7 * 1024 * 1024

/** A typical review has a few kilobytes. Up to this size, only the number of requests is limited. */
export const ordinarySize = 128 * 1024

/** A body that is refused, with the message for the caller. */
export class BodyRefused extends Error {
  override readonly name = 'BodyRefused'
  readonly statusCode: 400 | 413 | 429

  constructor (statusCode: 400 | 413 | 429, message: string) {
    super(message)
    this.statusCode = statusCode
  }
}

const tooLarge = () => new BodyRefused(413, `the body must have at most ${bodyLimit} bytes`)

/**
 * Limits the bytes of bodies that are in memory and not judged yet, without the first `ordinarySize` bytes of each. Bytes count when they
 * arrive, so a client that announces a lot and sends little uses little.
 */
export class BodyBudget {
  readonly #most: number
  #held = 0

  constructor (most: number) {
    this.#most = most
  }

  get held (): number { return this.#held }

  /** Whether the bytes were within the limit. */
  take (bytes: number): boolean {
    if (this.#held + bytes > this.#most) return false
    this.#held += bytes
    return true
  }

  give (bytes: number): void {
    this.#held -= bytes
  }
}

export interface Received {
  readonly bytes: Buffer
  /** Must be called when the body is no longer in memory. */
  readonly release: () => void
}

/**
 * Reads a body whose content length is at most `ordinarySize`. No more bytes than that can arrive, so nothing is counted or refused.
 * Nearly all reviews take this path; an async iterator would cost more than all the rules.
 */
export function receiveOrdinary (stream: Readable, done: (error: Error | null, bytes?: Buffer) => void): void {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => { chunks.push(chunk) })
  stream.on('end', () => { done(null, joinedChunks(chunks)) })
  stream.on('error', done)
}

/** Reads a body to its end, or until it is refused. `announced`: content length in bytes, NaN if unknown. @throws {BodyRefused} */
export async function receive (stream: Readable, announced: number, budget: BodyBudget): Promise<Received> {
  if (announced > bodyLimit) throw tooLarge()
  const chunks: Buffer[] = []
  let [length, taken] = [0, 0]
  const release = () => {
    budget.give(taken)
    taken = 0
  }
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > bodyLimit) throw tooLarge()
      const more = Math.max(0, length - ordinarySize) - taken
      if (!budget.take(more)) throw new BodyRefused(429, 'too many large bodies at once')
      taken += more
      chunks.push(chunk)
    }
  } catch (error) {
    release()
    throw error
  }
  return { bytes: Buffer.concat(chunks, length), release }
}

/**
 * The maximum number of objects, lists and keys in a body, of values, and of nesting levels. 7 MiB of brackets would take five seconds and
 * 200 MB to parse. With these limits no body takes a tenth of that. A review has some hundred keys; with a thousand labels, some thousand.
 */
export const mostNodes = 100_000
export const mostValues = 2_000_000
export const mostDepth = 1_000

// ASCII. No byte of a multi-byte UTF-8 sequence has one of these values.
const quote = 0x22
const comma = 0x2c
const colon = 0x3a
const openList = 0x5b
const backslash = 0x5c
const closeList = 0x5d
const openObject = 0x7b
const closeObject = 0x7d

/** Whether the JSON text exceeds the limits above. Does not check the syntax. */
export function isOverladen (json: Buffer): boolean {
  let [nodes, values, depth] = [0, 0, 0]
  for (let index = 0; index < json.length; index++) {
    switch (json[index] ?? 0) {
      case quote:
        index = endOfString(json, index)
        break
      case openList:
      case openObject:
        if (++depth > mostDepth) return true
        nodes++
        break
      case closeList:
      case closeObject:
        depth--
        break
      case colon:
        nodes++
        break
      case comma:
        values++
    }
    if (nodes > mostNodes || values > mostValues) return true
  }
  return false
}

/** Index of the quotation mark that ends the string that begins at `start`, or the end of the text. */
function endOfString (json: Buffer, start: number): number {
  const end = json.indexOf(quote, start + 1)
  if (end !== -1 && json[end - 1] !== backslash) return end
  for (let index = start + 1; index < json.length; index++) {
    if (json[index] === quote) return index
    if (json[index] === backslash) index++
  }
  return json.length
}

/** @throws {BodyRefused} */
export function parseBody (bytes: Buffer): unknown {
  if (bytes.length === 0) throw new BodyRefused(400, 'the body is empty')
  // A smaller body cannot exceed the limits.
  if (bytes.length > ordinarySize && isOverladen(bytes)) {
    throw new BodyRefused(413, `the body must have at most ${mostNodes} objects, lists and keys, no deeper than ${mostDepth} levels`)
  }
  try {
    return JSON.parse(bytes.toString())
  } catch {
    throw new BodyRefused(400, 'the body is not JSON')
  }
}
