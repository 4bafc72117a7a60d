import { Argument, Command, Option } from 'commander'
import { shells, type Shell } from '../completion/shells.ts'
import type { DiffOptions } from './diff.ts'
import { filename } from './manifest-commands.ts'
import type { EventsOptions } from './events.ts'
import type { LogsOptions } from './logs.ts'
import type { RestartOptions } from './restart.ts'
import { defaultCluster, rule, wholeNumber } from './settings.ts'
import type { StatusOptions } from './status.ts'
import type { Terminal } from './terminal.ts'

type Done = (exitCode: number) => void

/** Commands about servers in a cluster, which is found as kubectl finds it. */
const clusterCommand = (name: string, description: string) => new Command(name)
  .description(description)
  .optionsGroup('Cluster:')
  .option('--kubeconfig <file>', `kubeconfig of the cluster (default: ${defaultCluster})`)
  .option('--context <name>', 'context of the kubeconfig (default: its current one)')
  .option('-n, --namespace <name>', 'namespace of the server (default: that of the context, else default)')
  .optionsGroup('Options:')

const output = () => new Option('-o, --output <format>', 'output format').choices(['text', 'json']).default('text')

export function statusCommand (done: Done, terminal: Terminal): Command {
  return clusterCommand('status', 'Show a server, its objects, pod, volumes, database and conditions, with what is wrong first.')
    .argument('[name]', 'name of the DittoServer (default: all of the namespace)')
    .option('-A, --all-namespaces', 'show the servers of all namespaces')
    .option('-w, --watch', 'show every change; on a terminal, redraw')
    .addOption(output())
    .addHelpText('after', '\nExit code: 0 every server is ready, 1 one is not, or something about it is wrong, 2 wrong usage, or nothing can be read.')
    .action(async (name: string | undefined, options: StatusOptions) => {
      const { status } = await import('./status.ts')
      done(await status(name, options, terminal))
    })
}

export function diffCommand (done: Done, terminal: Terminal): Command {
  return clusterCommand('diff', 'Show what manifests would change in the cluster: the verdict, restarts, growth, and a unified diff of all objects.')
    .addOption(filename())
    .addOption(rule())
    .addOption(output())
    .addHelpText('after', '\nExit code: 0 nothing differs, 1 something does, 2 wrong usage, or nothing can be read, 3 a server would be denied or not carried out.')
    .action(async (options: DiffOptions) => {
      const { diff } = await import('./diff.ts')
      done(await diff(options, terminal))
    })
}

export function eventsCommand (done: Done, terminal: Terminal): Command {
  return clusterCommand('events', 'Print the events of a server and of its objects, oldest first.')
    .argument('<name>', 'name of the DittoServer')
    .option('-w, --watch', 'go on with each new event')
    .addOption(output())
    .action(async (name: string, options: EventsOptions) => {
      const { events } = await import('./events.ts')
      done(await events(name, options, terminal))
    })
}

export function logsCommand (done: Done, terminal: Terminal): Command {
  return clusterCommand('logs', 'Print the log of the pod of a server.')
    .argument('<name>', 'name of the DittoServer')
    .option('-c, --container <name>', 'container, or init container, of the pod (default: that of the server)')
    .option('-f, --follow', 'go on with each new line')
    .option('-p, --previous', 'the log of the container before its last restart')
    .option('--since <duration>', 'only lines that are not older, such as 10m')
    .addOption(new Option('--tail <lines>', 'only so many lines from the end').argParser(wholeNumber(0, 2 ** 31 - 1)))
    .option('--timestamps', 'begin each line with its time')
    .addHelpText('after', '\nExit code: 0 the log is printed, 1 the API server has none, 2 wrong usage.')
    .action(async (name: string, options: LogsOptions) => {
      const { logs } = await import('./logs.ts')
      done(await logs(name, options, terminal))
    })
}

export function restartCommand (done: Done, terminal: Terminal): Command {
  return clusterCommand('restart', 'Restart the pod of a server, as kubectl rollout restart does. Clients are interrupted until it is ready again.')
    .argument('<name>', 'name of the DittoServer')
    .requiredOption('--reason <text>', 'why; an annotation of the pod keeps it')
    .option('--wait', 'wait until the server is ready again')
    .option('--timeout <duration>', 'with --wait: how long at most', '5m')
    .addHelpText('after', '\nExit code: 0 restarted, 1 refused, or with --wait not ready in time, 2 wrong usage, or there is nothing to restart.')
    .action(async (name: string, options: RestartOptions) => {
      const { restart } = await import('./restart.ts')
      done(await restart(name, options, terminal))
    })
}

export function completionCommand ({ print }: Terminal): Command {
  return new Command('completion')
    .description('Print a script with which a shell completes commands, flags, and names from the cluster.')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .addHelpText('after', '\nbash: source <(dittofs-operator completion bash)\nzsh: source <(dittofs-operator completion zsh)\nfish: dittofs-operator completion fish | source')
    .action(async (shell: Shell) => {
      const { scriptFor } = await import('../completion/scripts.ts')
      print(scriptFor(shell))
    })
}
