import { pino, type Logger } from 'pino'

export type LogFormat = 'auto' | 'json' | 'text'
export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const
export const logFormats = ['auto', 'json', 'text'] as const

/**
 * JSON lines, or readable ones on a terminal. Messages are constant and what varies is in fields, so that logs can be
 * searched. Nothing secret is logged in the first place; the paths below are a second line of defence.
 */
export async function createLogger (level: string, format: LogFormat): Promise<Logger> {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: ['*.data', '*.stringData', '*.authorization', '*.headers.authorization', 'token', '*.token', 'password', '*.password'],
  }
  if (format === 'json' || (format === 'auto' && !process.stderr.isTTY)) return pino(options, pino.destination({ dest: 2, sync: true }))
  const { default: pretty } = await import('pino-pretty')
  return pino(options, pretty({ destination: 2, sync: true, colorize: process.stderr.isTTY, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss' }))
}
