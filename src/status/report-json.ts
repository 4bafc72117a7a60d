import { exitCodeOf } from './server-tree.ts'
import type { ServerTree } from './tree.ts'

/** For programs: the whole tree. `ready` matches the exit code. */
export const reportJson = (servers: readonly ServerTree[]): string =>
  `${JSON.stringify({ ready: exitCodeOf(servers) === 0, servers }, undefined, 2)}\n`
