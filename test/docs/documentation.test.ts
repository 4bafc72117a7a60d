import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import { binariesOrSkip, startControlPlane, type ControlPlane } from '../control-plane/control-plane.ts'
import { ownAddressOrSkip } from '../e2e/installation.ts'
import { kubectlUser, serverOf } from '../e2e/kubectl-user.ts'
import { pretendNodes, startInstalled } from '../e2e/pretend-nodes.ts'
import { findHelm, noHelm } from '../manifests/helm.ts'
import { commandsOf, inlineCommandsOf, type Command } from './commands.ts'
import { setDesk, type Desk, type Ran } from './desk.ts'
import { exceptionOf, notRun, runElsewhere } from './not-run.ts'
import { everyPage, placeholders, visits, type Expectation, type Stage, type Visit } from './visits.ts'

// Every command of the documentation is taken from the text and run, in an order that makes sense: with bash, the real kubectl, Helm,
// npm and git, against a real API server. Those that cannot be run here are in one table with a reason.

const place = new URL('../../', import.meta.url)
const pages = async () => [
  'README.md', 'release/npm-readme.md',
  ...(await Promise.all(['docs', '.github'].map(async folder => (await readdir(new URL(folder, place))).map(name => `${folder}/${name}`)))).flat()
    .filter(name => name.endsWith('.md')).sort(),
]
const commands = (await Promise.all((await pages()).map(async page => {
  const text = await readFile(new URL(page, place), 'utf8')
  return [...commandsOf(page, text), ...inlineCommandsOf(page, text)]
}))).flat()

const isOf = ({ page, section, alternatives = false, only = '' }: Visit, { isInline = false, isAlternative, ...command }: Command) =>
  page === everyPage
    ? isInline
    : !isInline && command.page === page && command.section === section && isAlternative === alternatives && command.text.startsWith(only)
function commandsFor (visit: Visit): Command[] {
  const found = commands.filter(command => isOf(visit, command) && !exceptionOf(command.text))
  // Running text says the same on many pages.
  return visit.page === everyPage ? [...new Map(found.map(command => [command.text, command])).values()] : found
}
const isElsewhere = (command: Command) =>
  !command.isInline && runElsewhere.some(([page, section]) => command.page === page && command.section === section)
const spell = ({ page, line, text }: Command) => `${page}:${line}: ${text}`

t.test(`${commands.length} commands, each of which is run or has a reason`, async t => {
  const neither = commands.filter(command =>
    !exceptionOf(command.text) && !isElsewhere(command) && !visits.some(visit => isOf(visit, command)))
  t.strictSame(neither.map(spell), [], 'add its section to test/docs/visits.ts, or the command to test/docs/not-run.ts')
  const count = commands.filter(command => !exceptionOf(command.text)).length
  t.comment(`${count} are run, ${commands.length - count} are not`)

  // Nothing in the tables is about a command that is no more.
  for (const [begin] of notRun) t.ok(commands.some(command => exceptionOf(command.text)?.[0] === begin), begin)
  for (const visit of visits) {
    const texts = commandsFor(visit).map(({ text }) => text)
    t.not(texts.length, 0, `${visit.page}, ${visit.section}`)
    for (const { of } of visit.expects ?? []) t.ok(texts.some(text => text.includes(of)), `${visit.page}, ${visit.section}: ${of}`)
  }
  for (const [found, , what] of placeholders) t.ok(commands.some(({ text }) => found.test(text)), what)
  for (const [page, section, file] of runElsewhere) {
    const source = await readFile(new URL(file, place), 'utf8')
    t.ok(source.includes(page) && source.includes(section), `${file} runs those of ${page}, ${section}`)
  }
})

/** What the reader has before the first page. */
async function furnish (desk: Desk, plane: ControlPlane, kubectl: string, helm: string | undefined): Promise<void> {
  await copyFile(plane.kubeconfig, desk.path('home', '.kube', 'config'))
  // No kubelet is here that could exec or forward: the command runs on this machine, with the account of the pod.
  await desk.program('kubectl', `
    if [[ " $* " == *" exec "* ]]; then
      while [ "$1" != -- ]; do shift; done
      shift; KUBECONFIG=${desk.path('pod.kubeconfig')} exec "$@"
    fi
    if [[ " $* " == *" port-forward "* ]]; then exit 0; fi
    exec ${kubectl} "$@"`)
  await desk.program('kustomize', 'if [ "$1" != build ]; then exit 2; fi\nexec kubectl kustomize "$2"')
  await desk.program('dittofs-operator', `exec ${desk.path('npm', 'bin', 'dittofs-operator')} "$@"`)
  if (helm !== undefined) await desk.program('helm', `exec ${helm} "$@"`)
  const files = stringify(serverOf('files'))
  const kustomization = stringify({ resources: ['files.yaml'] })
  await mkdir(desk.path('clone', 'DIR'))
  await mkdir(desk.path('servers', 'deploy'))
  for (const name of ['clone/DIR/state.yaml', 'clone/files.yaml', 'servers/files.yaml', 'servers/deploy/files.yaml']) await writeFile(desk.path(name), files)
  for (const name of ['clone', 'servers']) await writeFile(desk.path(name, 'kustomization.yaml'), kustomization)
  await desk.run('git init -q -b main && git add . && git commit -q -m Servers && git update-ref refs/remotes/origin/main HEAD', 'servers')
}

const wellEnded: Partial<Expectation> = {}

async function follow (t: Test, visit: Visit, stage: Stage): Promise<void> {
  const { desk } = stage
  await visit.before?.(stage)
  const serving: { readonly what: string, readonly says: RegExp, readonly ran: () => Ran, readonly end: () => Promise<void> }[] = []
  for (const command of commandsFor(visit)) {
    const text = placeholders.reduce((sum, [found, by]) => sum.replace(found, by(stage)), command.text)
    const { code = 0, says, serves } = visit.expects?.find(({ of }) => command.text.includes(of)) ?? wellEnded
    if (serves) {
      serving.push({ what: spell(command), says: serves, ...await desk.serve(text, serves, visit.place) })
      continue
    }
    const ran = await desk.run(text, visit.place)
    const told = `${ran.stderr}${ran.stdout}`
    t.equal(ran.code, code, spell(command), { said: told.slice(-4000) })
    if (says) t.match(told, says, `${spell(command)}: says`)
    if (command.output !== undefined) t.equal(told.trim(), command.output.trim(), `${spell(command)}: what the page shows`)
  }
  for (const { what, says, ran, end } of serving) {
    t.match(`${ran().stdout}${ran().stderr}`, says, what)
    t.equal(ran().code, null, `${what}: goes on`)
    await end()
  }
  await visit.after?.(stage)
}

t.test('followed', async t => {
  const binaries = await binariesOrSkip(t, { controllerManager: true })
  const address = binaries && ownAddressOrSkip(t)
  if (!binaries || address === undefined) return
  const helm = await findHelm()
  const [desk, plane] = await Promise.all([
    setDesk(t),
    startControlPlane(t, binaries, { controllerManager: true, apiServerFlags: { 'enable-aggregator-routing': 'true' } }),
  ])
  await desk.install()
  await furnish(desk, plane, binaries.kubectl, helm)
  const user = kubectlUser(plane)
  for (const name of ['gp3', 'standard']) {
    const annotations = name === 'standard' ? { 'storageclass.kubernetes.io/is-default-class': 'true' } : {}
    await user.apply({ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name, annotations }, provisioner: 'example.com/none' })
  }
  pretendNodes(t, plane)
  let operator: Awaited<ReturnType<typeof startInstalled>> | undefined
  const stage: Stage = {
    desk,
    plane,
    user,
    startOperator: async () => {
      operator = await startInstalled(t, plane, address)
      await copyFile(operator.kubeconfig, desk.path('pod.kubeconfig'))
    },
    stopOperator: async () => { await operator?.end() },
    healthPort: () => operator?.healthPort ?? 0,
  }
  for (const visit of visits) {
    const skip = visit.needsHelm && helm === undefined ? noHelm : false
    await t.test(`${visit.page}: ${visit.section}${visit.alternatives ? ', or' : ''}`, { skip }, async t => { await follow(t, visit, stage) })
  }
})
