import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { isIP } from 'node:net'
import { logFormats, logLevels } from '../log.ts'
import { webhookService } from '../manifests/webhooks.ts'
import { parsePolicy } from '../rules/policy.ts'
import { version } from '../version.ts'
import { certificateModes } from './certificate-mode.ts'
import { StartUpError, UsageError } from './fault.ts'
import type { CheckOptions } from './check.ts'
import type { DoctorOptions } from './doctor.ts'
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

const hostName = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/

const hostNames = (text: string): string[] => {
  const names = text.split(',').map(name => name.trim()).filter(Boolean)
  const wrong = names.find(name => isIP(name) === 0 && !hostName.test(name))
  if (wrong !== undefined) throw new InvalidArgumentError(`'${wrong}' is neither a host name nor an address.`)
  return names
}

const timeNames = ['authorityLifetime', 'authorityRenewal', 'certificateLifetime', 'certificateRenewal', 'overlap', 'settle', 'pollInterval']

const rotationTimes = (text: string): Record<string, number> => {
  const entries = text.split(',').map(part => part.trim().split('='))
  for (const [name = '', value = ''] of entries) {
    if (!timeNames.includes(name) || !(Number(value) > 0)) throw new InvalidArgumentError(`'${name}=${value}' is no time.`)
  }
  return Object.fromEntries(entries.map(([name = '', value = '']) => [name, Number(value)]))
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
    .addOption(setting('--cert-mode <mode>', 'self: made and renewed here; files: of --tls-dir (default: files with --tls-dir, otherwise self)')
      .choices(certificateModes))
    .addOption(setting('--tls-secret <name>', 'self: Secret of the certificate').default('dittofs-operator-tls'))
    .addOption(setting('--tls-san <names>', 'self: further host names and addresses of the certificate, separated by commas').argParser(hostNames))
    .addOption(setting('--webhook-service <name>', 'self: Service of the webhook').default(webhookService.name))
    .addOption(setting('--webhook-configuration <name>', 'self: name of the webhook configurations').default('dittofs-operator'))
    .addOption(setting('--operator-namespace <name>', 'self: namespace of the Secret and the Service (default: that of the pod)'))
    .addOption(setting('--tls-times <name=milliseconds>', 'self: lifetimes of certificates, for tests').argParser(rotationTimes).hideHelp())
    .addOption(rule())
    .addOption(setting('--drain-period <seconds>', 'how long to answer on after a signal to stop (default: 15; 0 with --embedded)')
      .argParser(wholeNumber(0, 3600)))
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

function doctorCommand (done: (exitCode: number) => void): Command {
  return new Command('doctor')
    .description('Look an installation over: what is wrong, and what mends it.')
    .requiredOption('--kubeconfig <file>', 'kubeconfig of the cluster')
    .option('--context <name>', 'context of the kubeconfig (default: its current one)')
    .option('-n, --namespace <name>', 'namespace of the operator', webhookService.namespace)
    .addHelpText('after', '\nExit code: 0 nothing is known to be wrong, 1 something is, 2 wrong usage.')
    .action(async (options: DoctorOptions) => {
      const { doctor } = await import('./doctor.ts')
      done(await doctor(options))
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
    .addCommand(doctorCommand(code => { exitCode = code }))
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
