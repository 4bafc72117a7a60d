import { pino, type Logger } from 'pino'

export type LogFormat = 'auto' | 'json' | 'text'
export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const
export const logFormats = ['auto', 'json', 'text'] as const

/** A write to a pipe costs more than all the rules together, so lines go out in batches: bytes, and milliseconds at the latest. */
const bufferSize = 8192
const flushInterval = 200

/** As pino's own isoTime, but written out once a millisecond only: under load that is one line in many. */
let written = { at: 0, text: '' }
function timestamp (): string {
  const now = Date.now()
  if (now !== written.at) written = { at: now, text: `,"time":"${new Date(now).toISOString()}"` }
  return written.text
}

/**
 * JSON lines, or readable ones on a terminal. Messages are constant and what varies is in fields, so that logs can be
 * searched. Secrets are kept out by never logging an object as a whole; a test watches over it. (pino's redaction by path
 * would cost a third of the time of a review.)
 */
export async function createLogger (level: string, format: LogFormat): Promise<Logger> {
  const options = {
    level,
    base: null,
    timestamp,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  if (format === 'json' || (format === 'auto' && !process.stderr.isTTY)) return pino(options, pino.destination({ dest: 2, sync: false, minLength: bufferSize, periodicFlush: flushInterval }))
  const { default: pretty } = await import('pino-pretty')
  return pino(options, pretty({ destination: 2, sync: true, colorize: process.stderr.isTTY, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss' }))
}
