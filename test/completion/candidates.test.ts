import t from 'tap'
import { Argument, Command, Option } from 'commander'
import { complete, toLines, type ChosenCluster, type Names } from '../../src/completion/candidates.ts'
import { runHere } from '../command-line/here.ts'

const program = new Command('p')
program.addCommand(new Command('status').description('Show a server.').argument('[name]').option('-n, --namespace <name>', 'where').option('--context <name>')
  .option('-w, --watch').addOption(new Option('-o, --output <format>').choices(['text', 'json'])).addOption(new Option('--secret').hideHelp()))
program.addCommand(new Command('check').option('-f, --filename <path>'))
program.addCommand(new Command('completion').addArgument(new Argument('<shell>').choices(['bash', 'zsh'])))
program.addCommand(new Command('hidden'), { hidden: true })

const asked: ChosenCluster[] = []
const names: Names = {
  servers: async cluster => {
    asked.push(cluster)
    return ['files', 'media']
  },
  namespaces: async () => ['default', 'prod'],
  contexts: async () => ['kind', 'cloud'],
}
const words = async (...given: readonly string[]) => (await complete(program, given, names)).candidates.map(({ word }) => word)

t.test('commands, flags and values', async t => {
  t.strictSame(await words(''), ['status', 'check', 'completion', 'help'])
  t.strictSame(await words('st'), ['status'])
  t.strictSame(await words('status', '--'), ['--namespace', '--context', '--watch', '--output'], 'not what the help hides')
  t.strictSame(await words('status', '-o', ''), ['text', 'json'])
  t.strictSame(await words('status', '--output', 'j'), ['json'])
  t.strictSame(await words('status', '--output=j'), ['--output=json'])
  t.strictSame(await words('completion', ''), ['bash', 'zsh'])
  t.strictSame(await words('completion', 'bash', ''), [])
  t.strictSame(await words('nonsense', ''), ['status', 'check', 'completion', 'help'])
  t.strictSame(await words('status', '--nonsense=x'), [])
})

t.test('names from the cluster that the words choose', async t => {
  t.strictSame(await words('status', ''), ['files', 'media'])
  t.strictSame(await words('status', '-n', 'prod', '--context=kind', '-w', 'f'), ['files'])
  t.strictSame(asked.at(-1), { namespace: 'prod', context: 'kind' })
  t.strictSame(await words('status', 'files', ''), [], 'it takes one name')
  t.strictSame(await words('status', '-n', ''), ['default', 'prod'])
  t.strictSame(await words('status', '--namespace=p'), ['--namespace=prod'])
  t.strictSame(await words('status', '--context', 'c'), ['cloud'])
})

t.test('files', async t => {
  t.strictSame(await complete(program, ['check', '-f', 'x'], names), { candidates: [], files: true })
  t.strictSame(await complete(program, ['check', '--filename='], names), { candidates: [], files: true })
})

t.test('the format of kubectl', async t => {
  t.equal(toLines({ candidates: [{ word: 'a', description: 'one\n two' }, { word: 'b', description: '' }], files: false }), 'a\tone two\nb\n:4\n')
  t.equal(toLines({ candidates: [], files: true }), ':0\n')
})

t.test('the commands of the program, without a cluster', async t => {
  t.match(await runHere(['__complete', 'stat']), { code: 0, stdout: /^status\tShow a server.*\n:4\n$/, stderr: '' })
  t.match(await runHere(['__complete', 'status', '--ver']), { code: 0, stdout: ':4\n' })
  t.match(await runHere(['__complete', 'serve', '--version']), { code: 0, stdout: ':4\n' }, 'it is no command line')
  t.match(await runHere(['__complete', 'status', '']), { code: 0, stdout: ':4\n', stderr: '' }, 'no cluster, and no error')
  t.match(await runHere(['completion', 'bash']), { code: 0, stdout: /^complete -o default -F _dittofs_operator dittofs-operator kubectl-dittofs$/m })
  t.match(await runHere(['completion', 'tcsh']), { code: 2, stderr: /Allowed choices are bash, zsh, fish/ })
})
