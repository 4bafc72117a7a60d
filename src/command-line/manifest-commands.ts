import { Command, Option } from 'commander'
import { webhookService } from '../manifests/webhooks.ts'
import type { CheckOptions } from './check.ts'
import type { DoctorOptions } from './doctor.ts'
import type { RenderOptions } from './render.ts'
import { defaultCluster, repeatable, rule } from './settings.ts'
import type { Terminal } from './terminal.ts'

type Done = (exitCode: number) => void

export const filename = () => repeatable('-f, --filename <path>', 'file, folder, or - for standard input; repeatable').makeOptionMandatory()
const state = (what: string) => repeatable('--state <path>', `file or folder with manifests of the objects in the cluster: ${what}; repeatable`)
const kubeconfig = (purpose: string) => new Option('--kubeconfig <file>', `${purpose} the cluster of this kubeconfig`)
const context = () => new Option('--context <name>', 'context of the kubeconfig; without --kubeconfig, of the default one, which kubectl uses')
const namespace = () => new Option('-n, --namespace <name>', 'namespace of objects that do not name one (default: that of the context, else default)')

export function checkCommand (done: Done, terminal: Terminal): Command {
  return new Command('check')
    .description('Judge manifests as kubectl apply, the API server and the webhook would, without running any of them.')
    .optionsGroup('Input:')
    .addOption(filename())
    .addOption(namespace())
    .optionsGroup('State of the cluster:')
    .addOption(state('StorageClasses, Secrets, CRDs, DittoServers as kubectl get -o yaml shows them'))
    .addOption(repeatable('--previous <path>', 'file or folder with the manifests as they were applied before: a DittoServer with the same name counts as an update; repeatable'))
    .addOption(kubeconfig('look these objects up in').conflicts(['state', 'previous']))
    .addOption(context().conflicts(['state', 'previous']))
    .optionsGroup('Verdicts:')
    .addOption(rule())
    .option('--warnings-as-errors', 'treat warnings as errors')
    .addOption(new Option('-o, --output <format>', 'output format').choices(['text', 'json', 'sarif', 'junit']).default('text'))
    .addHelpText('after', '\nExit code: 0 every object is allowed, 1 one is denied or cannot be read as an object, 2 wrong usage, a file that cannot be opened, or nothing to judge.')
    .action(async (options: CheckOptions) => {
      const { check } = await import('./check.ts')
      done(await check(options, terminal))
    })
}

export function renderCommandLine (done: Done, terminal: Terminal): Command {
  return new Command('render')
    .description('Print the objects that the reconcile loop would create, including its own Secrets, as one YAML stream.')
    .addOption(filename())
    .addOption(namespace())
    .addOption(state('Secrets, StatefulSets, PostgreSQL clusters'))
    .addOption(kubeconfig('look these objects up in').conflicts('state'))
    .addOption(context().conflicts('state'))
    .addOption(rule())
    .addHelpText('after', '\nExit code: 0 all is rendered, 1 a manifest is refused or cannot be read, 2 wrong usage, a file that cannot be opened, or nothing to render.')
    .action(async (options: RenderOptions) => {
      const { renderCommand } = await import('./render.ts')
      done(await renderCommand(options, terminal))
    })
}

export function doctorCommand (done: Done, terminal: Terminal): Command {
  return new Command('doctor')
    .description('Check an installation: report what is wrong, and how to fix it.')
    .option('--kubeconfig <file>', `kubeconfig of the cluster (default: ${defaultCluster})`)
    .option('--context <name>', 'context of the kubeconfig (default: its current one)')
    .option('-n, --namespace <name>', `namespace of the operator (default: that of the pod when it runs in an operator pod, else ${webhookService.namespace})`)
    .addOption(new Option('-o, --output <format>', 'output format').choices(['text', 'json']).default('text'))
    .addHelpText('after', '\nExit code: 0 nothing is wrong, 1 something is wrong, 2 wrong usage, 3 something could not be checked.')
    .action(async (options: DoctorOptions) => {
      const { doctor } = await import('./doctor.ts')
      done(await doctor(options, terminal))
    })
}
