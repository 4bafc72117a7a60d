import type { BaseLogger } from 'pino'

/** The part of pino that this folder uses: a constant message, and variable fields. */
export type ClusterLog = Pick<BaseLogger, 'debug' | 'info' | 'warn' | 'error'>
