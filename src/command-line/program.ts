import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { logFormats, logLevels } from '../log.ts'
import { parsePolicy } from '../rules/policy.ts'
import { version } from '../version.ts'
import { StartUpError, UsageError } from './fault.ts'
import type { CheckOptions } from './check.ts'
import type { RenderOptions } from './render.ts'
import type { ServeOptions } from './serve.ts'

const wholeNumber = (least: number, most: number) => (text: string): number => {
  const value = Number(text)
  if (!/^[0-9]+$/.test(text) || value < least || value > most) {
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`)
  }
  return value
}
const port = wholeNumber(0, 65535)

/** Every setting is a flag and a variable of the environment: `--tls-dir` is DITTOFS_OPERATOR_TLS_DIR. */
const setting = (flags: string, description: string) => {
  const name = /--([a-z-]+)/.exec(flags)?.[1] ?? ''
  return new Option(flags, description).env(`DITTOFS_OPERATOR_${name.toUpperCase().replaceAll('-', '_')}`)
}

const ruleOverrides = (text: string, previous: readonly string[] = []): string[] => {
  const overrides = [...previous, ...text.split(',').map(part => part.trim()).filter(Boolean)]
  try {
    parsePolicy(overrides)
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
  return overrides
}

const rule = () => setting('--rule <id=severity>', 'weight of a rule: deny, warn or off; repeatable, or separated by commas').argParser(ruleOverrides)
const kubeconfig = (whenAbsent: string) => setting('--kubeconfig <file>', `kubeconfig of the cluster (default: ${whenAbsent})`)
const context = () => setting('--context <name>', 'context of the kubeconfig (default: its current one)')

function serveCommand (): Command {
  return new Command('serve')
    .description('Answer the API server\'s admission reviews, and reconcile.')
    .addOption(kubeconfig('the ServiceAccount of the pod'))
    .addOption(context())
    .addOption(setting('--embedded <folder>', 'a folder of manifests stands in for a cluster').conflicts(['kubeconfig', 'context']))
    .addOption(setting('--out <folder>', 'with --embedded: where to write the objects as YAML, one a file').conflicts(['kubeconfig', 'context']))
    .addOption(setting('--host <address>', 'address to listen on (default: every one; 127.0.0.1 with --embedded)'))
    .addOption(setting('--port <number>', 'port of the webhook, HTTPS').argParser(port).default(9443))
    .addOption(setting('--health-port <number>', 'port of /livez, /readyz and /metrics, HTTP').argParser(port).default(8081))
    .addOption(setting('--tls-dir <folder>', 'folder with tls.crt, tls.key and ca.crt (default with --embedded: certs, made when absent)'))
    .addOption(rule())
    .addOption(setting('--max-in-flight <number>', 'reviews answered at once; one more gets a 429').argParser(wholeNumber(1, 100_000)).default(500))
    .addOption(setting('--no-webhook', 'do not answer admission reviews'))
    .addOption(setting('--no-controller', 'do not reconcile'))
    .addOption(setting('--concurrency <number>', 'servers reconciled at once').argParser(wholeNumber(1, 256)).default(8))
    .addOption(setting('--watch-namespace <name>', 'reconcile in this namespace only (default: in every one)'))
    .addOption(setting('--no-leader-elect', 'reconcile without a Lease: for one process alone'))
    .addOption(setting('--leader-election-namespace <name>', 'namespace of the Lease (default: that of the pod)'))
    .addOption(setting('--leader-election-id <name>', 'name of the Lease').default('dittofs-operator'))
    .addOption(setting('--log-level <level>', 'least severe log lines to write').choices(logLevels).default('info'))
    .addOption(setting('--log-format <format>', 'auto is text on a terminal and json elsewhere').choices(logFormats).default('auto'))
    .action(async (options: ServeOptions) => {
      const { serve } = await import('./serve.ts')
      await serve(options)
    })
}

function checkCommand (done: (exitCode: number) => void): Command {
  const collect = (file: string, previous: readonly string[] = []) => [...previous, file]
  return new Command('check')
    .description('Judge manifests by the rules of admission, without a webhook.')
    .requiredOption('-f, --filename <path>', 'file, folder, or - for standard input; repeatable', collect)
    .option('--state <folder>', 'manifests of what is in the cluster: StorageClasses, Secrets, CRDs, DittoServers')
    .addOption(new Option('--kubeconfig <file>', 'look the rest up in the cluster of this kubeconfig').conflicts('state'))
    .option('--context <name>', 'context of the kubeconfig (default: its current one)')
    .option('-n, --namespace <name>', 'namespace of objects that give none', 'default')
    .addOption(new Option('-o, --output <format>', 'form of the verdicts').choices(['text', 'json']).default('text'))
    .option('--warnings-as-errors', 'a warning denies')
    .addOption(rule())
    .addHelpText('after', '\nExit code: 0 every object is allowed, 1 one is denied, 2 wrong usage or a file that cannot be read.')
    .action(async (options: CheckOptions) => {
      const { check } = await import('./check.ts')
      done(await check(options))
    })
}

function renderCommandLine (done: (exitCode: number) => void): Command {
  const collect = (file: string, previous: readonly string[] = []) => [...previous, file]
  return new Command('render')
    .description('Print the objects that the reconcile loop would bring about, Secrets of its own included, as one YAML stream.')
    .requiredOption('-f, --filename <path>', 'file, folder, or - for standard input; repeatable', collect)
    .option('--state <folder>', 'manifests of what is in the cluster: Secrets, StatefulSets, PostgreSQL clusters')
    .addOption(new Option('--kubeconfig <file>', 'look these up in the cluster of this kubeconfig').conflicts('state'))
    .option('--context <name>', 'context of the kubeconfig (default: its current one)')
    .option('-n, --namespace <name>', 'namespace of objects that give none', 'default')
    .addHelpText('after', '\nExit code: 0 all is rendered, 1 a DittoServer is refused, 2 wrong usage or a file that cannot be read.')
    .action(async (options: RenderOptions) => {
      const { renderCommand } = await import('./render.ts')
      done(await renderCommand(options))
    })
}

/**
 * Runs the command line and resolves with the exit code: 0, 1 for what the command found or could not start with, 2 for
 * wrong usage. Faults end in one line on standard error.
 */
export async function run (args: readonly string[]): Promise<number> {
  let exitCode = 0
  for (const stream of [process.stdout, process.stderr]) stream.on('error', unlessBrokenPipe)
  const program = new Command('dittofs-operator')
    .description('Kubernetes operator and admission webhook for DittoFS')
    .version(version)
    .addCommand(serveCommand())
    .addCommand(checkCommand(code => { exitCode = code }))
    .addCommand(renderCommandLine(code => { exitCode = code }))
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ writeErr: () => {} }).showSuggestionAfterError()
  }
  try {
    await program.parseAsync([...args], { from: 'user' })
    return exitCode
  } catch (error) {
    return report(error, program)
  }
}

/** Whoever reads the output may stop before its end, as `head` does. */
function unlessBrokenPipe (error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}

function report (error: unknown, program: Command): number {
  const say = (line: string) => process.stderr.write(`${line.replaceAll('\n', ' ')}\n`)
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0
    if (error.code === 'commander.help') process.stderr.write(program.helpInformation())
    else say(`${error.message.replace(/^error: /, 'dittofs-operator: ').replace(/\.$/, '')}; see --help`)
    return 2
  }
  if (error instanceof UsageError) {
    say(`dittofs-operator: ${error.message}`)
    return 2
  }
  if (error instanceof StartUpError) {
    say(`dittofs-operator: ${error.message}`)
    return 1
  }
  throw error
}
