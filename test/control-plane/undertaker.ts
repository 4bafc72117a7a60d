import { spawn } from 'node:child_process'

/**
 * Ends the programs and removes the folder when this process has ended, for whatever reason: a test runner kills a test that it gives up,
 * so no handler in this process would run. The shell notices the end of its standard input.
 */
export function startUndertaker (folder: string) {
  const script = 'while read -r line; do pids=$line; done; [ -z "$pids" ] || kill -9 $pids 2>/dev/null; rm -rf "$0"'
  // In its own process group; otherwise Ctrl-C would end it before it has done its work.
  const shell = spawn('/bin/sh', ['-c', script, folder], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  shell.unref()
  return {
    /** All processes that are alive. */
    watch: (pids: readonly number[]) => { shell.stdin.write(`${pids.join(' ')}\n`) },
    dismiss: () => { shell.stdin.end('\n') },
  }
}
