import { pino, type Logger } from 'pino'

export type LogFormat = 'auto' | 'json' | 'text'
export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const
export const logFormats = ['auto', 'json', 'text'] as const

/**
 * A write to a pipe costs more than all the rules together, so lines go out in batches: bytes (fewer than the 16 KiB that
 * pino writes at once), and milliseconds at the latest.
 */
const bufferSize = 15 * 1024
const flushInterval = 200

/** As pino's own isoTime, but written out once a millisecond only: under load that is one line in many. */
let written = { at: 0, text: '' }
function timestamp (): string {
  const now = Date.now()
  if (now !== written.at) written = { at: now, text: `,"time":"${new Date(now).toISOString()}"` }
  return written.text
}

/** Causes of causes end somewhere, also where they go round. */
const deepestCause = 5

/**
 * What is logged of an error: a list of what may be, as pino itself would log whatever somebody has hung on it, such as the
 * request with its credentials, or an object of the API server.
 */
export function loggedError (error: unknown, depth = 0): object {
  if (!(error instanceof Error)) return { message: String(error) }
  const { name: type, message, stack, code, status, reason, cause } = error as Error & Partial<Record<'code' | 'status' | 'reason', unknown>>
  const below = cause === undefined || depth === deepestCause ? {} : { cause: loggedError(cause, depth + 1) }
  return { type, message, code, status, reason, stack, ...below }
}

/**
 * JSON lines, or readable ones on a terminal. Messages are constant and what varies is in fields, so that logs can be
 * searched. Secrets are kept out by never logging an object as a whole, and of an error only what is listed above; tests
 * watch over it. (pino's redaction by path would cost a third of the time of a review.)
 */
export async function createLogger (level: string, format: LogFormat): Promise<Logger> {
  const options = {
    level,
    base: null,
    timestamp,
    serializers: { err: loggedError },
    formatters: { level: (label: string) => ({ level: label }) },
  }
  if (format === 'json' || (format === 'auto' && !process.stderr.isTTY)) return pino(options, pino.destination({ dest: 2, sync: false, minLength: bufferSize, periodicFlush: flushInterval }))
  const { default: pretty } = await import('pino-pretty')
  return pino(options, pretty({ destination: 2, sync: true, colorize: process.stderr.isTTY, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss' }))
}

/** Resolves when every line so far is written. */
export async function flushed (log: Logger): Promise<void> {
  // Where a write is under way, the first one waits for that and leaves what has been gathered since to the second.
  for (let time = 0; time < 2; time++) await new Promise<void>(resolve => log.flush(() => resolve()))
}
