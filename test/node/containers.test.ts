import { readFile, writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { binariesOrSkip, eventually, startControlPlane } from '../control-plane/control-plane.ts'
import { startNode } from './node.ts'
import { conditionOf, images, isReady, isRunning, mainOf, obedient, podUser, script, shell, waitingFor } from './pod-user.ts'
import { isRoot } from './sandbox.ts'

// The kubelet's handling of containers, implemented by the test node with processes.

const binaries = await binariesOrSkip(t)
if (binaries) {
  t.setTimeout(900_000)
  const plane = await startControlPlane(t, binaries)
  const known: Record<string, object> = { ...images }
  const node = await startNode(t, plane, { images: known, timing: { crashBackoff: 1000, imageBackoff: 2000, retry: 500 } })
  const { create, until, run, apply, awaitGone, logOf } = podUser(plane, node)
  const secret = async (name: string, stringData: Record<string, string>) => await apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData })

  t.test('arguments, environment and files', async t => {
    await secret('keys', { user: 'ann', password: 'p4ss' })
    await apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { color: 'blue', 'app.conf': 'verbose\n' } })
    const see = 'echo "$0 $GREETING|$USER_NAME|$SET_color|$POD|$ABSENT|$HOSTNAME"; cat /config/app.conf /keys/password /all/a /all/user; echo; ls /config; ' +
      'stat -c %a /keys/password; echo kept > /scratch/f; cat /scratch/f; pwd; touch /config/x 2>/dev/null || echo read-only'
    await create('seer', {
      restartPolicy: 'Never',
      containers: [script(see, {
        command: ['/bin/sh', '-c', see, '$(USER_NAME)$$(USER_NAME)'],
        workingDir: '/scratch',
        env: [
          { name: 'USER_NAME', valueFrom: { secretKeyRef: { name: 'keys', key: 'user' } } },
          { name: 'GREETING', value: 'hello $(USER_NAME) $(NOBODY) $$(USER_NAME)' },
          { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          { name: 'ABSENT', valueFrom: { secretKeyRef: { name: 'nothing', key: 'x', optional: true } } },
        ],
        envFrom: [{ prefix: 'SET_', configMapRef: { name: 'settings' } }],
        volumeMounts: [
          { name: 'config', mountPath: '/config' }, { name: 'keys', mountPath: '/keys' },
          { name: 'scratch', mountPath: '/scratch' }, { name: 'all', mountPath: '/all' },
        ],
      })],
      volumes: [
        { name: 'config', configMap: { name: 'settings', items: [{ key: 'app.conf', path: 'app.conf' }] } },
        { name: 'keys', secret: { secretName: 'keys', defaultMode: 0o400 } },
        { name: 'scratch', emptyDir: {} },
        {
          name: 'all',
          projected: { sources: [{ configMap: { name: 'settings', items: [{ key: 'color', path: 'a' }] } }, { secret: { name: 'keys' } }] },
        },
      ],
    })
    const pod = await until('seer', ({ status }) => status?.phase === 'Succeeded', 'succeeded')
    t.equal(await logOf(pod), [
      'ann$(USER_NAME) hello ann $(NOBODY) $(USER_NAME)|ann|blue|seer||seer', 'verbose', 'p4ssblueann', 'app.conf', '400', 'kept', '/scratch', 'read-only', '',
    ].join('\n'))
    t.match(conditionOf(pod, 'Ready'), { status: 'False', reason: 'PodCompleted' })
    t.match(mainOf(pod)?.state.terminated, { exitCode: 0, reason: 'Completed' })
  })

  t.test('users and groups', { skip: isRoot ? false : 'only root may become somebody else' }, async t => {
    await create('user', {
      restartPolicy: 'Never',
      securityContext: { runAsUser: 12345, runAsGroup: 2345, runAsNonRoot: true, fsGroup: 345 },
      containers: [script('id -u; id -g; id -G; echo x > /scratch/f; stat -c %g /scratch/f; grep -E "CapEff|NoNewPrivs" /proc/self/status', {
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } }, volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }],
      })],
      volumes: [{ name: 'scratch', emptyDir: {} }],
    })
    const pod = await until('user', ({ status }) => status?.phase === 'Succeeded', 'succeeded')
    t.equal(await logOf(pod), '12345\n2345\n2345 345\n345\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\n')
  })

  t.test('an image that would run as root, although that is forbidden', async t => {
    await create('root', { securityContext: { runAsNonRoot: true }, containers: [script(obedient)] })
    const pod = await until('root', waitingFor('CreateContainerConfigError'), 'refused')
    t.match(mainOf(pod)?.state.waiting?.message, /^container has runAsNonRoot and image will run as root \(pod: "root_default/)
  })

  t.test('a missing Secret, then a missing key', async t => {
    await create('hopeful', { containers: [script(`${obedient}`, { env: [{ name: 'KEY', valueFrom: { secretKeyRef: { name: 'later', key: 'key' } } }] })] })
    const without = await until('hopeful', waitingFor('CreateContainerConfigError'), 'no Secret')
    t.equal(mainOf(without)?.state.waiting?.message, 'secret "later" not found')
    t.equal(without.status?.phase, 'Pending')
    t.match(conditionOf(without, 'ContainersReady'), { status: 'False', reason: 'ContainersNotReady', message: 'containers with unready status: [main]' })
    await secret('later', { other: 'x' })
    await until('hopeful', pod => mainOf(pod)?.state.waiting?.message === "couldn't find key key in Secret default/later", 'no key')
    await secret('later', { key: 'x' })
    const pod = await until('hopeful', isReady, 'ready')
    t.equal(mainOf(pod)?.restartCount, 0)
  })

  t.test('a missing ConfigMap in a mount', async t => {
    await create('mounter', {
      containers: [script(obedient, { volumeMounts: [{ name: 'config', mountPath: '/config' }] })], volumes: [{ name: 'config', configMap: { name: 'soon' } }],
    })
    const pod = await until('mounter', waitingFor('ContainerCreating'), 'creating')
    t.match(conditionOf(pod, 'PodReadyToStartContainers'), { status: 'False' })
    await eventually(async () => (await run(['get', 'events', '--field-selector', 'reason=FailedMount'])).includes('configmap "soon" not found'), 'an event')
    await apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'soon' }, data: { a: 'b' } })
    await until('mounter', isReady, 'ready')
  })

  t.test('a missing image that is pushed later', async t => {
    await create('puller', { containers: [{ name: 'main', image: 'example.com/new:1', args: [obedient] }] })
    const pod = await until('puller', waitingFor('ErrImagePull'), 'not found')
    t.match(mainOf(pod)?.state.waiting?.message, /example\.com\/new:1: not found$/)
    const later = await until('puller', waitingFor('ImagePullBackOff'), 'backing off')
    t.match(mainOf(later)?.state.waiting?.message, /^Back-off pulling image "example\.com\/new:1": ErrImagePull: /)
    known['example.com/new:1'] = images[shell]
    t.match(mainOf(await until('puller', isReady, 'ready')), { restartCount: 0, imageID: /^example\.com\/new@sha256:/ })
    await create('misspelt', { containers: [{ name: 'main', image: 'Example.com/New:1' }] })
    await until('misspelt', waitingFor('InvalidImageName'), 'refused')
  })

  t.test('a program that does not exist', async t => {
    await create('absent', { restartPolicy: 'Never', containers: [script('', { command: ['/nowhere/program'] })] })
    const pod = await until('absent', ({ status }) => status?.phase === 'Failed', 'failed')
    t.match(mainOf(pod)?.state.terminated, { exitCode: 128, reason: 'StartError', message: /exec: "\/nowhere\/program": no such file/ })
  })

  t.test('a program that crashes', async t => {
    await create('crasher', { containers: [script('echo first words; echo last words > /dev/termination-log; exit 3')] })
    const first = await until('crasher', waitingFor('CrashLoopBackOff'), 'backing off')
    t.match(mainOf(first)?.state.waiting?.message, /^back-off 1s restarting failed container=main pod=crasher_default\(/)
    t.match(mainOf(first), { restartCount: 1, started: false, ready: false, lastState: { terminated: { exitCode: 3, reason: 'Error', message: 'last words\n' } } })
    t.equal(first.status?.phase, 'Running', 'as kubelet has it')
    const second = await until('crasher', pod => mainOf(pod)?.state.waiting?.message?.startsWith('back-off 2s'), 'backing off for longer')
    t.equal(mainOf(second)?.restartCount, 2)
    t.equal(await logOf(second, 0), 'first words\n')
    t.equal(node.starts.filter(({ pod }) => pod === 'crasher').length, 3)
  })

  t.test('the end of the log as termination message, if requested', async t => {
    const policy = { terminationMessagePolicy: 'FallbackToLogsOnError' } as const
    await create('talker', { restartPolicy: 'Never', containers: [script('echo cause; exit 1', policy)] })
    t.equal(mainOf(await until('talker', ({ status }) => status?.phase === 'Failed', 'failed'))?.state.terminated?.message, 'cause\n')
    await create('quiet', { restartPolicy: 'OnFailure', containers: [script('echo fine', policy)] })
    t.notOk(mainOf(await until('quiet', ({ status }) => status?.phase === 'Succeeded', 'succeeded'))?.state.terminated?.message)
  })

  t.test('init containers run one after the other', async t => {
    const volumeMounts = [{ name: 'shared', mountPath: '/shared' }]
    await create('staged', {
      initContainers: [
        script('[ -e /shared/tried ] || { touch /shared/tried; exit 1; }; echo one > /shared/order', { name: 'one', volumeMounts }),
        script('echo two >> /shared/order; while [ ! -e /shared/go ]; do sleep 0.1; done', { name: 'two', volumeMounts }),
      ],
      containers: [script(`cat /shared/order; ${obedient}`, { volumeMounts })],
      volumes: [{ name: 'shared', emptyDir: {} }],
    })
    const waiting = await until('staged', ({ status }) => status?.initContainerStatuses?.[1]?.state.running, 'the second runs')
    t.match(waiting.status, {
      phase: 'Pending',
      initContainerStatuses: [{ ready: true, restartCount: 1, state: { terminated: { exitCode: 0 } } }, { ready: false }],
      containerStatuses: [{ state: { waiting: { reason: 'PodInitializing' } } }],
    })
    t.match(conditionOf(waiting, 'Initialized'), { status: 'False', reason: 'ContainersNotInitialized', message: 'containers with incomplete status: [two]' })
    const { pid } = node.runningIn('staged', 'two')
    await writeFile(`/proc/${pid}/root/shared/go`, '')
    const pod = await until('staged', isReady, 'ready')
    t.match(conditionOf(pod, 'Initialized'), { status: 'True' })
    t.equal(await logOf(pod), 'one\ntwo\nup\n')
  })

  t.test('it ends on a signal, after the hook', async t => {
    const asked = 'trap "echo asked; exit 7" TERM; echo up; while :; do sleep 0.1; done'
    await create('polite', { terminationGracePeriodSeconds: 30, containers: [script(asked, { lifecycle: { preStop: { sleep: { seconds: 3 } } } })] })
    const pod = await until('polite', isReady, 'ready')
    const { pid } = node.runningIn('polite')
    const began = Date.now()
    await run(['delete', 'pod', 'polite', '--wait=false'])
    await delay(1000)
    process.kill(pid, 0)
    t.match(await until('polite', () => true, 'there'), { metadata: { deletionTimestamp: /./ }, status: { phase: 'Running' } })
    await awaitGone('pod', 'polite')
    const took = Date.now() - began
    t.ok(took >= 3000 && took < 25_000, `${took} ms`)
    t.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
    t.equal(await logOf(pod), 'up\nasked\n')
  })

  t.test('it is killed with all its children if it ignores the signal', async t => {
    await create('deaf', { terminationGracePeriodSeconds: 3, containers: [script('trap "" TERM; sleep 1000 & echo $!; while :; do sleep 0.1; done')] })
    const pod = await until('deaf', isReady, 'ready')
    const { pid } = node.runningIn('deaf')
    const children = await childrenOf(pid)
    t.ok(children.length > 0)
    const began = Date.now()
    await run(['delete', 'pod', 'deaf', '--wait=false'])
    await awaitGone('pod', 'deaf')
    t.ok(Date.now() - began >= 3000)
    for (const one of [pid, ...children]) t.throws(() => process.kill(one, 0), { code: 'ESRCH' })
    t.match(await logOf(pod), /^\d+\n$/, 'the log is its own')
  })

  t.test('it is killed when its pod is force-deleted', async () => {
    await create('forced', { terminationGracePeriodSeconds: 600, containers: [script('trap "" TERM; while :; do sleep 0.1; done')] })
    await until('forced', isRunning, 'running')
    const { pid } = node.runningIn('forced')
    await run(['delete', 'pod', 'forced', '--force', '--grace-period=0'])
    await eventually(async () => {
      try { return !process.kill(pid, 0) } catch { return true }
    }, 'the process is gone')
  })

  t.test('no unexpected errors in the node', async t => { t.strictSame(node.faults, []) })
}

async function childrenOf (pid: number): Promise<number[]> {
  return (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ').filter(Boolean).map(Number)
}
