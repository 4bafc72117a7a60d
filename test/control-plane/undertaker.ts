import { spawn } from 'node:child_process'

/**
 * Ends the programs and removes the folder when this process is gone, however it ended: a test runner that gives up on a test
 * kills it, and no handler in here would run then. The shell notices by the end of its standard input.
 */
export function startUndertaker (folder: string) {
  const script = 'while read -r line; do pids=$line; done; [ -z "$pids" ] || kill -9 $pids 2>/dev/null; rm -rf "$0"'
  // In a group of its own, or Ctrl-C would end it before it has done its work.
  const shell = spawn('/bin/sh', ['-c', script, folder], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  shell.unref()
  return {
    /** All processes that are alive. */
    watch: (pids: readonly number[]) => { shell.stdin.write(`${pids.join(' ')}\n`) },
    dismiss: () => { shell.stdin.end('\n') },
  }
}
