import { Command, CommanderError } from 'commander'
import { completeArgument } from '../completion/shells.ts'
import { version } from '../version.ts'
import { completionCommand, diffCommand, eventsCommand, logsCommand, restartCommand, statusCommand } from './cluster-commands.ts'
import { StartUpError, UsageError } from './fault.ts'
import { checkCommand, doctorCommand, renderCommandLine } from './manifest-commands.ts'
import { sandboxCommand } from './sandbox-command.ts'
import { serveCommand } from './serve-command.ts'
import { tidyEnvironment } from './settings.ts'
import { processTerminal, type Terminal } from './terminal.ts'

/** What the program is called: by its own name, or as a plugin of kubectl, which finds it as `kubectl-dittofs`. */
export type ProgramName = 'dittofs-operator' | 'kubectl dittofs'

/** The name by which the program was started. `names`: those that the system and Node pass on, which may be paths. Pure. */
export const programName = (names: readonly string[]): ProgramName =>
  names.some(name => /(^|[\\/])kubectl-dittofs(\.exe)?$/.test(name)) ? 'kubectl dittofs' : 'dittofs-operator'

/**
 * Runs the command line and resolves with the exit code: 0; 1 if the command found problems or could not start; 2 for wrong usage. Errors
 * are reported as one line on standard error.
 */
export async function run (args: readonly string[], terminal = processTerminal, name: ProgramName = 'dittofs-operator'): Promise<number> {
  let exitCode = 0
  const done = (code: number) => { exitCode = code }
  const program = new Command(name)
    .description(name === 'kubectl dittofs' ? 'Work with DittoServers' : 'Kubernetes operator and admission webhook for DittoFS')
    .version(version)
    .hook('preSubcommand', (_, command) => { tidyEnvironment(command.options, process.env) })
    .addCommand(serveCommand(), { hidden: name === 'kubectl dittofs' })
    .addCommand(checkCommand(done, terminal))
    .addCommand(renderCommandLine(done, terminal))
    .addCommand(diffCommand(done, terminal))
    .addCommand(statusCommand(done, terminal))
    .addCommand(eventsCommand(done, terminal))
    .addCommand(logsCommand(done, terminal))
    .addCommand(restartCommand(done, terminal))
    .addCommand(doctorCommand(done, terminal))
    .addCommand(completionCommand(terminal))
    .addCommand(sandboxCommand(terminal))
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ writeOut: terminal.print, writeErr: () => {} }).showSuggestionAfterError()
  }
  try {
    // Not parsed as a command line: the words may be incomplete.
    if (args[0] === completeArgument) return await printCompletion(program, args.slice(1), terminal)
    await program.parseAsync([...args], { from: 'user' })
    return exitCode
  } catch (error) {
    return report(error, program, terminal)
  }
}

async function printCompletion (program: Command, words: readonly string[], { print }: Terminal): Promise<number> {
  const { complete, toLines } = await import('../completion/candidates.ts')
  const { namesOfCluster } = await import('../completion/names.ts')
  print(toLines(await complete(program, words, namesOfCluster)))
  return 0
}

function report (error: unknown, program: Command, terminal: Terminal): number {
  const say = (line: string) => { terminal.say(line.replaceAll('\n', ' ')) }
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0
    if (error.code === 'commander.help') terminal.say(program.helpInformation().trimEnd())
    else say(`${error.message.replace(/^error: /, `${program.name()}: `).replace(/\.$/, '')}; see --help`)
    return 2
  }
  if (error instanceof UsageError) {
    say(`${program.name()}: ${error.message}`)
    return 2
  }
  if (error instanceof StartUpError) {
    say(`${program.name()}: ${error.message}`)
    return 1
  }
  throw error
}
