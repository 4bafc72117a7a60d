import type { BaseLogger } from 'pino'

/** What this folder needs of pino: a constant message, and fields that vary. */
export type ClusterLog = Pick<BaseLogger, 'debug' | 'info' | 'warn' | 'error'>
