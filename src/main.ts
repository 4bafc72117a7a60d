#!/usr/bin/env node
import { programName, run } from './command-line/program.ts'
import { processTerminal } from './command-line/terminal.ts'

// The reader of the output may stop before the end, as `head` does, and a terminal may be closed.
const unlessGone = (error: NodeJS.ErrnoException) => { if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error }
for (const stream of [process.stdout, process.stderr]) stream.on('error', unlessGone)

// A script is started by the path of its link; a single executable only has the name by which it was called.
const name = programName([process.argv0, process.argv[1] ?? ''])
// No await: in a single executable the program is a CommonJS script, which has no top-level await.
void run(process.argv.slice(2), processTerminal, name).then(exitCode => { process.exitCode = exitCode })
