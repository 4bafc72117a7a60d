import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { bundle } from '../../.config/bundle.ts'
import { kubectlHelper } from '../../src/completion/scripts.ts'
import { binariesOrSkip, eventually, startControlPlane } from '../control-plane/control-plane.ts'
import { skipOrFail } from '../control-plane/skip-or-fail.ts'
import { asServiceAccount } from './installation.ts'
import { kubectlUser, serverOf, type FoundPod, type FoundStatefulSet } from './kubectl-user.ts'
import { startOperator } from './operator.ts'
import { pretendKubelet } from './pretend-kubelet.ts'
import { onTerminal } from './typed.ts'

// The plugin of kubectl, called by the real kubectl, about servers on a real API server with the real controllers. No kubelet is here: the
// test writes the statuses of pods, and answers for the logs of containers.

t.setTimeout(600_000)
const crd = fileURLToPath(new URL('../../manifests/crd.yaml', import.meta.url))
const binaries = await binariesOrSkip(t, { controllerManager: true })
if (binaries) {
  // As it is installed without krew: a link with the name that kubectl looks for.
  const folder = t.testdir({})
  const [program, bin] = [join(folder, 'dittofs-operator.mjs'), join(folder, 'bin')]
  await bundle(program)
  await chmod(program, 0o755)
  await mkdir(bin)
  await symlink(program, join(bin, 'kubectl-dittofs'))
  await symlink(binaries.kubectl, join(bin, 'kubectl'))
  await writeFile(join(bin, kubectlHelper.file), kubectlHelper.script, { mode: 0o755 })
  process.env.PATH = [bin, process.env.PATH].join(delimiter)

  const plane = await startControlPlane(t, binaries, { crds: [crd], controllerManager: true })
  const { run, get, patch, apply, awaitObject, awaitCondition, awaitEvent } = kubectlUser(plane)
  const operator = await startOperator(t, [...await asServiceAccount(plane), '--no-webhook'])
  await operator.ready()
  const shells = [['bash', 'bash --norc -i'], ['zsh', 'zsh -f -i'], ['fish', 'fish --no-config']] as const
  // Looked for here: tap takes a pause between two tests for the end of the file.
  const areThere = await Promise.all(shells.map(async ([shell]) => await promisify(execFile)(shell, ['--version']).then(() => true, () => false)))
  const env = { PATH: process.env.PATH, HOME: folder, KUBECONFIG: plane.kubeconfig, PS1: '$ ' }

  const dittofs = async (...args: readonly string[]) => await plane.kubectl(['dittofs', ...args])
  const withInput = async (input: object, ...args: readonly string[]) => await plane.kubectl(['dittofs', ...args], JSON.stringify(input))
  const report = async (name: string, status: object) => {
    const path = `/api/v1/namespaces/default/pods/${name}-0/status`
    const { status: code, body } = await plane.request('PATCH', path, { status }, 'application/merge-patch+json')
    if (code !== 200) throw new Error(JSON.stringify(body))
  }
  const container = (state: object, rest: object = {}) =>
    ({ name: 'dittofs', image: 'example.com/dittofs:1', imageID: '', ready: false, restartCount: 0, state, ...rest })
  /** What a terminal receives, with its escape character in a readable form. */
  const visible = (text: string) => text.replaceAll('\x1b', '␛')
  const scheduled = { type: 'PodScheduled', status: 'True' }
  const unready = { type: 'Ready', status: 'False' }
  const ready = () => ({
    phase: 'Running',
    conditions: [scheduled, { type: 'Ready', status: 'True' }],
    containerStatuses: [container({ running: { startedAt: new Date().toISOString() } }, { ready: true })],
  })
  const spec = { image: 'example.com/dittofs:1', storage: { metadataSize: '10Gi' } }
  const podOf = async (name: string) => await get<FoundPod>('pod', `${name}-0`)
  /** As the kubelet and the StatefulSet controller do it together. */
  const becomesReady = async (name: string, before?: string) => {
    await awaitObject('pod', `${name}-0`, ({ metadata }) => metadata.uid !== before && metadata.deletionTimestamp === undefined, 'made')
    await report(name, ready())
    await awaitCondition(name, 'Ready', 'True', 'AllConditionsMet')
  }

  await t.test('it is called kubectl dittofs', async t => {
    const { code, stdout } = await dittofs('--help')
    t.equal(code, 0)
    t.match(stdout, /^Usage: kubectl dittofs \[options\] \[command\]\n/)
    t.notMatch(stdout, /^ {2}serve /m)
    t.match(await dittofs('nonsense'), { stderr: /^kubectl dittofs: unknown command 'nonsense'/ })
    t.match(await run(['plugin', 'list']), `${bin}/kubectl-dittofs\n`)
  })

  await t.test('status of a server from its start', async t => {
    t.match(await dittofs('status'), { code: 0, stdout: "There are no DittoServers in the namespace 'default'.\n" })
    t.match(await dittofs('status', 'demo'), { code: 2, stderr: "kubectl dittofs: there is no DittoServer 'demo' in the namespace 'default'\n" })
    await apply(serverOf('demo', spec))
    await awaitObject('pod', 'demo-0', () => true, 'made')
    await awaitCondition('demo', 'Available', 'False', 'NoReplicasAvailable')
    const starting = await dittofs('status', 'demo')
    t.equal(starting.code, 1)
    t.match(starting.stdout, /^… DittoServer default\/demo {2}Pending, generation 1, /)
    t.match(starting.stdout, '\n  start: ✓ configuration  ✓ StatefulSet  … volumes  · pod scheduled  · container started  · ready\n')

    const cause = 'failed to resolve reference "example.com/dittofs:1": not found'
    const waiting = container({ waiting: { reason: 'ErrImagePull', message: cause } })
    await report('demo', { phase: 'Pending', conditions: [scheduled], containerStatuses: [waiting] })
    await awaitCondition('demo', 'Available', 'False', 'ErrImagePull')
    const broken = await dittofs('status', 'demo')
    t.equal(broken.code, 1)
    t.match(broken.stdout, /^✗ DittoServer default\/demo .*\n {2}✗ Available: ErrImagePull: pod demo-0: image 'example/)
    t.match(broken.stdout, /└─ ✗ Container dittofs +waiting: ErrImagePull, example\.com\/dittofs:1$/m)

    await report('demo', ready())
    await awaitCondition('demo', 'Ready', 'True', 'AllConditionsMet')
    const well = await dittofs('status', '-A')
    t.equal(well.code, 0, well.stdout)
    t.match(well.stdout, /^✓ DittoServer default\/demo {2}Running, /)
    t.match(well.stdout, /├─ ✓ Service demo-file +ClusterIP 10\.96\.\d+\.\d+: nfs 12049$/m)
    t.match(well.stdout, /├─ ✓ Secret demo-jwt-secret /m)
    const { servers: [tree] } = JSON.parse((await dittofs('status', 'demo', '-o', 'json')).stdout) as { servers: object[] }
    t.match(tree, { ready: true, branches: [{ kind: 'StatefulSet', branches: [{ kind: 'Pod', name: 'demo-0', facts: { ready: true } }] }] })
    t.notMatch(JSON.stringify(tree), /jwt-secret":/, 'no data of a Secret')
  })

  await t.test('on a terminal, status redraws without clearing the screen, and leaves it as it was', async t => {
    const terminal = onTerminal(t, 'stty cols 160 rows 60; exec kubectl dittofs status demo --watch', env)
    await terminal.shows(/✓ .{4,12}DittoServer default\/demo.{4} {2}Running/)
    const seen = terminal.text().length
    const ended = container({ terminated: { exitCode: 3, reason: 'Error' } })
    await report('demo', { phase: 'Running', conditions: [scheduled, unready], containerStatuses: [ended] })
    await terminal.shows(/✗ .{4,12}DittoServer default\/demo[^]*ended with exit code 3/, seen)
    terminal.type('\x03')
    const [code] = await terminal.exited
    t.equal(code, 1)
    const text = visible(terminal.text())
    t.ok(text.startsWith('␛[?1049h␛[?25l␛[H'), 'the alternate screen, without a cursor')
    t.match(text, '␛[?25h␛[?1049l')
    t.match(text, '␛[32m✓ ␛[0m␛[1mDittoServer default/demo␛[0m  Running')
    t.notMatch(text, '␛[2J', 'never blank')
    const still = onTerminal(t, 'kubectl dittofs status demo', { ...env, NO_COLOR: '1' })
    await still.exited
    t.notMatch(visible(still.text()), '␛')
    await report('demo', ready())
    await awaitCondition('demo', 'Ready', 'True', 'AllConditionsMet')
  })

  await t.test('what diff says is what happens', async t => {
    t.match(await withInput(serverOf('demo', spec), 'diff', '-f', '-'), { code: 0, stdout: /^# Nothing changes\.$/m })
    const file = serverOf('demo', { ...spec, nfsPort: 2049 })
    const live = await withInput(file, 'diff', '-f', '-')
    t.equal(live.code, 1, live.stderr)
    t.match(live.stdout, /^ {2}nfsPort: 12049|^-\s+nfsPort: 12049\n\+\s+nfsPort: 2049$/m)
    t.match(live.stdout, /^--- before\/Service\/default\/demo-file\n\+\+\+ after\/Service\/default\/demo-file\n@@/m)
    t.notMatch(live.stdout, 'restarts')
    const before = await podOf('demo')
    await apply(file)
    await awaitCondition('demo', 'Ready', 'True', 'AllConditionsMet')
    t.match(await withInput(file, 'diff', '-f', '-'), { code: 0 })
    t.equal((await podOf('demo'))?.metadata.uid, before?.metadata.uid)

    const image = serverOf('demo', { ...spec, nfsPort: 2049, image: 'example.com/dittofs:2' })
    const restarting = await withInput(image, 'diff', '-f', '-', '-o', 'json')
    t.equal(restarting.code, 1)
    const outcome = { pod: 'restarts', statefulSet: 'updated', causes: ['spec.containers[dittofs].image'] }
    t.match(JSON.parse(restarting.stdout), { changed: true, servers: [{ allowed: true, outcome }] })
    await apply(image)
    await becomesReady('demo', before?.metadata.uid)
    t.match(await withInput(image, 'diff', '-f', '-'), { code: 0 })

    const shrunk = serverOf('demo', { ...spec, storage: { metadataSize: '5Gi' } })
    t.match(await withInput(shrunk, 'diff', '-f', '-'), { code: 3, stdout: / is invalid: spec\.storage\.metadataSize: / })
    const larger = { ...spec, nfsPort: 2049, image: 'example.com/dittofs:2', storage: { metadataSize: '20Gi' } }
    const grown = await withInput(serverOf('demo', larger), 'diff', '-f', '-')
    t.match(grown.stdout, '\n# The server keeps running.\n# The volume metadata-demo-0 grows from 10Gi to 20Gi.\n# The StatefulSet is replaced')
    t.match(await withInput({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } }, 'diff', '-f', '-'), { code: 2, stderr: /contains no DittoServer/ })
    t.match(await withInput(serverOf('new', spec), 'diff', '-f', '-'), { code: 1, stdout: /^# The server is new\.\n# The server starts\.$/m })
  })

  await t.test('restart, with a reason that stays', async t => {
    const before = await podOf('demo')
    const restarting = dittofs('restart', 'demo', '--reason', 'new disks', '--wait', '--timeout', '90s')
    await becomesReady('demo', before?.metadata.uid)
    const { code, stdout, stderr } = await restarting
    t.equal(code, 0, stderr)
    t.equal(stdout, 'dittoserver default/demo restarted: new disks\ndittoserver default/demo is ready again\n')
    const annotationsOf = (set: FoundStatefulSet | undefined) => set?.spec.template.metadata.annotations ?? {}
    const set = await get<FoundStatefulSet>('statefulset', 'demo')
    const given = annotationsOf(set)['dittofs.dittofs.com/restart-reason']
    t.match(given, /^\d{4}-\d\d-\d\dT[\d:.]+Z new disks$/)
    t.match((await dittofs('status', 'demo')).stdout, /✓ Pod demo-0 .* restarted: new disks$/m)

    const pod = await podOf('demo')
    await patch('dittoserver', 'demo', { spec: { service: { annotations: { a: 'b' } } } })
    await awaitCondition('demo', 'Ready', 'True', 'AllConditionsMet')
    t.equal((await get<FoundStatefulSet>('statefulset', 'demo'))?.metadata.generation, set?.metadata.generation, 'the loop does not change the template')
    await run(['delete', 'statefulset', 'demo', '--cascade=orphan'])
    const again = await awaitObject<FoundStatefulSet>('statefulset', 'demo', ({ metadata }) => metadata.uid !== set?.metadata.uid, 'recreated')
    t.equal(annotationsOf(again)['dittofs.dittofs.com/restart-reason'], given)
    await awaitCondition('demo', 'Ready', 'True', 'AllConditionsMet')
    await awaitObject('statefulset', 'demo', ({ status }) => status?.observedGeneration === 1, 'seen')
    t.equal((await podOf('demo'))?.metadata.uid, pod?.metadata.uid, 'the pod is not restarted again')

    t.match(await dittofs('restart', 'demo'), { code: 2, stderr: /required option '--reason <text>'/ })
    t.match(await dittofs('restart', 'absent', '--reason', 'x'), { code: 2, stderr: /there is no DittoServer 'absent'/ })
    t.match(await dittofs('restart', 'demo', '--reason', 'never ready', '--wait', '--timeout', '3s'), { code: 1, stderr: /is not ready after 3s: / })
    await becomesReady('demo', pod?.metadata.uid)
  })

  await t.test('events, in the order in which they happened', async t => {
    await awaitEvent('demo', 'Normal', 'Ready')
    interface Told { readonly time: string, readonly reason: string, readonly object: { readonly kind: string } }
    const told = JSON.parse((await dittofs('events', 'demo', '-o', 'json')).stdout) as Told[]
    const seconds = told.map(({ time }) => time.slice(0, 19))
    t.strictSame(seconds, seconds.toSorted())
    const reasons = told.map(({ object, reason }) => `${object.kind} ${reason}`)
    const story = ['DittoServer Created', 'StatefulSet SuccessfulDelete', 'DittoServer Ready']
    t.strictSame(story.filter(reason => reasons.includes(reason)), story)
    t.ok(reasons.indexOf('DittoServer Created') < reasons.indexOf('StatefulSet SuccessfulDelete'))
    t.ok(reasons.indexOf('StatefulSet SuccessfulDelete') < reasons.lastIndexOf('DittoServer Ready'))
    t.match((await dittofs('events', 'demo')).stdout, /^\d+[sm]\S* +Normal +DittoServer demo +Created +DittoServer created$/m)
    t.match(await dittofs('events', 'absent'), { code: 0, stdout: '', stderr: /there are no events about DittoServer default\/absent/ })

    const watching = spawn('kubectl', ['dittofs', 'events', 'demo', '--watch'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    const exited = once(watching, 'close') as Promise<[number | null]>
    let text = ''
    watching.stdout.on('data', chunk => { text += String(chunk) })
    await eventually(async () => text.includes('DittoServer created'), 'the first event')
    // As the kubelet writes it.
    await plane.request('POST', '/api/v1/namespaces/default/events', {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'demo-0.1', namespace: 'default' },
      involvedObject: { kind: 'Pod', name: 'demo-0', namespace: 'default' },
      type: 'Warning',
      reason: 'BackOff',
      message: 'Back-off pulling image',
      lastTimestamp: new Date().toISOString().replace(/\.\d+Z/, 'Z'),
    })
    await eventually(async () => /Warning +Pod demo-0 +BackOff +Back-off pulling image\n/.test(text), 'the new event')
    watching.kill('SIGINT')
    t.equal((await exited)[0], 0)
  })

  await t.test('logs, as the API server has them from the node', async t => {
    t.match(await dittofs('logs', 'demo'), { code: 0, stdout: '' }, 'the pod is on no node yet')
    t.match(await dittofs('logs', 'absent'), { code: 1, stderr: 'pods "absent-0" not found\n' })
    t.match(await dittofs('logs', 'demo', '--since', 'soon'), { code: 2, stderr: /--since 'soon' is not a duration such as 10m/ })
    const asked = await pretendKubelet(t, plane, 'node-1', async function * (query) {
      yield 'first\n'
      if (query.get('follow') === 'true') {
        await delay(500)
        yield 'größer\n'
      }
    })
    const { status } = await plane.request('POST', '/api/v1/namespaces/default/pods/demo-0/binding', {
      apiVersion: 'v1', kind: 'Binding', metadata: { name: 'demo-0' }, target: { kind: 'Node', name: 'node-1' },
    })
    t.equal(status, 201)
    t.match(await dittofs('logs', 'demo'), { code: 0, stdout: 'first\n', stderr: '' })
    t.match(await dittofs('logs', 'demo', '-f', '--since', '10m', '--tail', '5', '--previous'), { code: 0, stdout: 'first\ngrößer\n' })
    const [last] = asked.slice(-1)
    t.match(last?.pathname, '/containerLogs/default/demo-0/dittofs')
    t.strictSame(Object.fromEntries(last?.searchParams ?? []), { follow: 'true', previous: 'true', sinceSeconds: '600', tailLines: '5' })
    t.match(await dittofs('logs', 'demo', '-c', 'none'), { code: 1, stderr: /container none is not valid for pod demo-0/ })
  })

  await t.test('kubectl completes names of the cluster', async t => {
    t.match(await run(['__complete', 'dittofs', 'status', '']), /^demo\n:4$/m)
    t.match(await run(['__complete', 'dittofs', 'status', '-n', 'kube-']), /^kube-system\n/m)
  })

  for (const [index, [shell, start]] of shells.entries()) {
    const there = areThere[index]
    await t.test(`${shell} completes at a terminal`, async t => {
      if (!there) return skipOrFail(t, `no ${shell} is here`)
      const terminal = onTerminal(t, start, { ...env, TERM: 'dumb' })
      const source = shell === 'fish' ? 'kubectl-dittofs completion fish | source' : `source <(kubectl-dittofs completion ${shell})`
      terminal.type(`${shell === 'zsh' ? 'autoload -U compinit && compinit -u -D; ' : ''}${source}; echo rea''dy\n`)
      await terminal.shows(/ready\r?\n/)
      const completes = async (typed: string, rest: RegExp) => {
        const from = terminal.text().length
        terminal.type(`${typed}\t`)
        await terminal.shows(rest, from)
        terminal.type('\x15')
      }
      await completes('kubectl-dittofs stat', /kubectl-dittofs status /)
      await completes('kubectl-dittofs status de', /kubectl-dittofs status demo/)
      await completes('kubectl-dittofs status -n kube-sy', /-n kube-system/)
      await completes('kubectl-dittofs status --output=js', /--output=json/)
      terminal.type('exit\n')
    })
  }

  await t.test('kubectl get and kubectl explain', async t => {
    const table = async (...args: readonly string[]) => (await run(['get', 'ditto', 'demo', ...args])).trim().split('\n').map(line => line.split(/ {2,}/))
    t.match(await table(), [['NAME', 'READY', 'STATUS', 'DATABASE', 'SIZE', 'AGE'], ['demo', 'True', 'Running', 'sqlite', '10Gi', /^\d+[sm]/]])
    t.match(await table('-o', 'wide'), [['NAME', 'READY', 'STATUS', 'DATABASE', 'SIZE', 'AGE', 'ENDPOINT', 'VERSION', 'MESSAGE'],
      ['demo', 'True', 'Running', 'sqlite', '10Gi', /./, 'demo-file.default.svc.cluster.local:2049', 'example.com/dittofs:2', 'The server is fully operational.']])
    t.match(await run(['explain', 'dittoserver.spec.storage.metadataSize']), /DESCRIPTION:\n\s+\S/)
  })

  await t.test('no unexpected errors', async t => {
    t.strictSame(operator.lines.filter(({ level }) => level === 'error'), [])
  })

  await t.test('kubectl wait does not believe a condition of an earlier generation', async t => {
    const waits = async () => await plane.kubectl(['wait', '--for=condition=Ready', 'dittoserver/demo', '--timeout=2s'])
    t.match(await waits(), { code: 0, stdout: /condition met/ })
    operator.child.kill('SIGTERM')
    await operator.exited
    await patch('dittoserver', 'demo', { spec: { nfsPort: 2050 } })
    t.match(await waits(), { code: 1, stderr: /timed out waiting for the condition/ }, 'nobody has looked at the new spec')
    t.match(await dittofs('status', 'demo'), { code: 1, stdout: /… Generation: the operator has not carried out generation \d+ yet/ })
    // So the wait above goes by the generations in the status, and a status without them would deceive it.
    const found = await get('dittoserver', 'demo')
    const conditions = found?.status?.conditions?.map(({ observedGeneration: _, ...condition }) => condition)
    await patch('dittoserver', 'demo', { status: { conditions, observedGeneration: null } }, '--subresource=status')
    t.match(await waits(), { code: 0 })
  })
}
