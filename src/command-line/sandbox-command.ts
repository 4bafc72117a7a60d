import { Command } from 'commander'
import { StartUpError } from './fault.ts'
import type { Terminal } from './terminal.ts'

interface Options { readonly server: boolean, readonly buildServer?: boolean }

export function sandboxCommand (terminal: Terminal): Command {
  return new Command('sandbox')
    .description('Start a real Kubernetes API server on this machine with the operator in it, to try it out. Ctrl-C removes everything.')
    .option('--no-server', 'do not run a DittoFS server, even if its program is on this machine')
    .option('--build-server', 'build the DittoFS server with Go if it is missing')
    .argument('[flags...]', 'after --: more flags of serve, for example -- --rule PORT-CONFLICT=deny')
    .addHelpText('after', '\nRoot is not required. It needs the programs of a control plane: it finds, downloads or builds them.')
    .action(async (operatorFlags: string[], { server, buildServer = false }: Options) => {
      const { sandbox } = await load()
      const failure = await sandbox({ server, buildServer, operatorFlags, program: process.argv[1] ?? '' }, terminal)
      if (failure !== undefined) throw new StartUpError(failure)
    })
}

/** A separate file of the npm package: the image and the executables do not have it. */
async function load () {
  try {
    return await import('../../sandbox/index.ts')
  } catch (error) {
    if (!['ERR_MODULE_NOT_FOUND', 'ERR_UNKNOWN_BUILTIN_MODULE', 'ERR_ACCESS_DENIED'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    throw new StartUpError('the sandbox is not a part of this program: use `npx dittofs-operator sandbox`, or `npm run sandbox` in a clone')
  }
}
