import { pino, type Logger } from 'pino'

export type LogFormat = 'auto' | 'json' | 'text'
export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const
export const logFormats = ['auto', 'json', 'text'] as const

/**
 * A write to a pipe costs more than all rules together, so lines are written in batches. The limits are bytes (less than the 16 KiB that
 * pino writes at once) and milliseconds.
 */
const bufferSize = 15 * 1024
const flushInterval = 200

/** Like pino's isoTime, but formatted only once per millisecond: under load, that is once for many lines. */
let written = { at: 0, text: '' }
function timestamp (): string {
  const now = Date.now()
  if (now !== written.at) written = { at: now, text: `,"time":"${new Date(now).toISOString()}"` }
  return written.text
}

/** Maximum depth of nested causes, also if they are cyclic. */
const deepestCause = 5

/**
 * The properties of an error that are logged. pino itself would log all properties, for example the request with its credentials, or an API
 * object.
 */
export function loggedError (error: unknown, depth = 0): object {
  if (!(error instanceof Error)) return { message: String(error) }
  const { name: type, message, stack, code, status, reason, cause } = error as Error & Partial<Record<'code' | 'status' | 'reason', unknown>>
  const below = cause === undefined || depth === deepestCause ? {} : { cause: loggedError(cause, depth + 1) }
  return { type, message, code, status, reason, stack, ...below }
}

/**
 * JSON lines, or readable lines on a terminal. Messages are constant and variable data is in fields, so that logs can be searched. Secrets
 * do not get into the log: objects are never logged as a whole, and errors only with the properties above. Tests verify this. (pino's
 * redaction by path would cost a third of the time of a review.)
 */
export async function createLogger (level: string, format: LogFormat): Promise<Logger> {
  const options = {
    level,
    base: null,
    timestamp,
    serializers: { err: loggedError },
    formatters: { level: (label: string) => ({ level: label }) },
  }
  if (format === 'json' || (format === 'auto' && !process.stderr.isTTY)) return pino(options, batches())
  const { default: pretty } = await import('pino-pretty')
  return pino(options, pretty({ destination: 2, sync: true, colorize: process.stderr.isTTY, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss' }))
}

/** As buffers, because pino would copy the text of the whole batch for each line that it adds. */
function batches () {
  const destination = pino.destination({ dest: 2, sync: false, minLength: bufferSize, periodicFlush: flushInterval, contentMode: 'buffer' })
  return {
    // The types of pino know only text.
    write: (line: string) => destination.write(Buffer.from(line) as unknown as string),
    flush: (done?: (error?: Error) => void) => { destination.flush(done) },
    flushSync: () => { destination.flushSync() },
  }
}

/** Resolves when all previous lines are written. */
export async function flushed (log: Logger): Promise<void> {
  // If a write is in progress, the first flush waits for it, and leaves later lines to the second.
  for (let time = 0; time < 2; time++) await new Promise<void>(resolve => log.flush(() => resolve()))
}
