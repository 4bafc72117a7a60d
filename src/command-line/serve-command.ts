import { Command } from 'commander'
import { logFormats, logLevels } from '../log.ts'
import { secretAccesses } from '../controller/secret-access.ts'
import { webhookService } from '../manifests/webhooks.ts'
import { defaultUiPort } from '../playground/default-port.ts'
import { certificateModes } from './certificate-mode.ts'
import { UsageError } from './fault.ts'
import type { ServeOptions } from './serve.ts'
import { defaultCluster, hostNames, port, rotationTimes, rule, setting, wholeNumber } from './settings.ts'

export function serveCommand (): Command {
  return new Command('serve')
    .description('Answer admission reviews of the API server, and reconcile.')
    .optionsGroup('Cluster:')
    .addOption(setting('--kubeconfig <file>', `kubeconfig of the cluster (default: ${defaultCluster})`))
    .addOption(setting('--context <name>', 'context of the kubeconfig (default: its current one)'))
    .addOption(setting('--embedded <folder>', 'use a folder of manifests instead of a cluster').conflicts(['kubeconfig', 'context']))
    .addOption(setting('--out <folder>', 'with --embedded: folder for the rendered objects as YAML, one file per object').conflicts(['kubeconfig', 'context']))
    .optionsGroup('Webhook:')
    .addOption(setting('--no-webhook', 'do not answer admission reviews'))
    .addOption(setting('--host <address>', 'address to listen on (default: all; 127.0.0.1 with --embedded)'))
    .addOption(setting('--port <number>', 'port of the webhook, HTTPS').argParser(port).default(9443))
    .addOption(rule())
    .addOption(setting('--max-in-flight <number>', 'maximum number of reviews at once; further ones get a 429').argParser(wholeNumber(1, 100_000)).default(500))
    .addOption(setting('--client-ca <file>', 'CA that must have signed the client certificate of a review (default: no client certificate is required)')
      .conflicts('embedded'))
    .addOption(setting('--max-connections <number>', 'maximum number of connections to the webhook; further ones are closed')
      .argParser(wholeNumber(1, 100_000)).default(1_000))
    .addOption(setting('--drain-period <seconds>', 'how long to keep answering after a signal to stop (default: 15; 0 with --embedded)')
      .argParser(wholeNumber(0, 3600)))
    .optionsGroup('Certificate:')
    .addOption(setting('--cert-mode <mode>', 'self: created and renewed by the operator; files: read from --tls-dir (default: files with --tls-dir, otherwise self)')
      .choices(certificateModes))
    .addOption(setting('--tls-dir <folder>', 'files: folder with tls.crt, tls.key and ca.crt (default with --embedded: certs, created when absent)'))
    .addOption(setting('--tls-secret <name>', 'self: Secret of the certificate').default('dittofs-operator-tls'))
    .addOption(setting('--tls-san <names>', 'self: additional host names and addresses of the certificate, separated by commas').argParser(hostNames))
    .addOption(setting('--webhook-service <name>', 'self: Service of the webhook').default(webhookService.name))
    .addOption(setting('--webhook-configuration <name>', 'self: name of the webhook configurations').default('dittofs-operator'))
    .addOption(setting('--operator-namespace <name>', 'self: namespace of the Secret and the Service (default: that of the pod)'))
    .addOption(setting('--tls-times <name=milliseconds>', 'self: lifetimes of certificates, for tests').argParser(rotationTimes).hideHelp())
    .optionsGroup('Reconcile loop:')
    .addOption(setting('--no-controller', 'do not reconcile'))
    .addOption(setting('--concurrency <number>', 'servers reconciled at once').argParser(wholeNumber(1, 256)).default(8))
    .addOption(setting('--watch-namespace <name>', 'reconcile in this namespace only (default: in all namespaces)'))
    .addOption(setting('--secret-access <how>', 'how to read Secrets that servers use: watch, or get each by name every minute')
      .choices(secretAccesses).default('watch'))
    .addOption(setting('--no-leader-elect', 'reconcile without a Lease: only for a single process'))
    .addOption(setting('--leader-election-namespace <name>', 'namespace of the Lease (default: that of the pod)'))
    .addOption(setting('--leader-election-id <name>', 'name of the Lease').default('dittofs-operator'))
    .optionsGroup('Health, playground and logs:')
    .addOption(setting('--health-port <number>', 'port of /livez, /readyz and /metrics, HTTP').argParser(port).default(8081))
    .addOption(setting('--ui-port <number>', `port of the playground, HTTP on 127.0.0.1 only (default: none; ${defaultUiPort} with --embedded)`).argParser(port))
    .addOption(setting('--log-level <level>', 'lowest level of the log lines to write').choices(logLevels).default('info'))
    .addOption(setting('--log-format <format>', 'auto is text on a terminal and json elsewhere').choices(logFormats).default('auto'))
    .addHelpText('after', '\nAn empty environment variable counts as not set. The variable of a flag without a value is true or false.')
    .action(async (options: ServeOptions) => {
      if (!options.webhook && !options.controller) throw new UsageError('--no-webhook with --no-controller: nothing is left to do')
      const { serve } = await import('./serve.ts')
      await serve(options)
    })
}
