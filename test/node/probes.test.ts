import t from 'tap'
import { binariesOrSkip, eventually, freePort, startControlPlane } from '../control-plane/control-plane.ts'
import { startNode } from './node.ts'
import { conditionOf, images, isReady, mainOf, podUser, script } from './pod-user.ts'

// Startup, liveness and readiness, by HTTP, TCP and commands.

const binaries = await binariesOrSkip(t)
if (binaries) {
  t.setTimeout(900_000)
  const plane = await startControlPlane(t, binaries)
  /** Answers as configured last: `/set?status=503`. */
  const server = `
    let status = Number(process.argv[2])
    require('node:http').createServer((request, response) => {
      const url = new URL(request.url, 'http://localhost')
      if (url.pathname === '/set') status = Number(url.searchParams.get('status'))
      response.writeHead(url.pathname === '/set' ? 200 : status).end()
    }).listen(process.argv[1], '127.0.0.1')
    process.on('SIGTERM', () => process.exit(0))`
  const web = { entrypoint: ['/app/node', '-e', server], files: { '/app/node': process.execPath } }
  const node = await startNode(t, plane, { images: { ...images, 'example.com/web:1': web }, timing: { crashBackoff: 1000 } })
  const { create, until, run } = podUser(plane, node)
  const tell = async (port: number, status: number) => { await fetch(`http://127.0.0.1:${port}/set?status=${status}`) }
  const quick = { periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 2 }
  const events = async (pod: string, reason: string) => await run(['get', 'events', '--field-selector', `involvedObject.name=${pod},reason=${reason}`])

  t.test('ready according to the probe, by a named port', async t => {
    const port = await freePort()
    await create('ready', {
      containers: [{
        name: 'main', image: 'example.com/web:1', args: [String(port), '503'], ports: [{ name: 'web', containerPort: port }], readinessProbe: { ...quick, httpGet: { path: '/ready', port: 'web' } },
      }],
    })
    const before = await until('ready', pod => mainOf(pod)?.state.running && mainOf(pod)?.started, 'started')
    t.match(conditionOf(before, 'Ready'), { status: 'False', message: 'containers with unready status: [main]' })
    t.equal(before.status?.phase, 'Running')
    await eventually(async () => (await events('ready', 'Unhealthy')).includes('Readiness probe failed: HTTP probe failed with statuscode: 503'), 'an event')
    await tell(port, 200)
    await until('ready', isReady, 'ready')
    await tell(port, 503)
    t.equal(mainOf(await until('ready', pod => !isReady(pod), 'no longer'))?.restartCount, 0)
    await tell(port, 204)
    await until('ready', isReady, 'again')
  })

  t.test('restarted by the liveness probe', async t => {
    const port = await freePort()
    await create('mortal', {
      terminationGracePeriodSeconds: 5,
      containers: [{
        name: 'main',
        image: 'example.com/web:1',
        args: [String(port), '200'],
        livenessProbe: { ...quick, failureThreshold: 10, httpGet: { port } },
        readinessProbe: { ...quick, tcpSocket: { port } },
      }],
    })
    await until('mortal', isReady, 'ready')
    const { pid } = node.runningIn('mortal')
    await tell(port, 500)
    const pod = await until('mortal', pod => mainOf(pod)?.restartCount === 1 && mainOf(pod)?.state.running, 'restarted')
    t.match(mainOf(pod)?.lastState.terminated, { exitCode: 0, reason: 'Completed' })
    t.not(node.runningIn('mortal').pid, pid)
    t.match(await events('mortal', 'Killing'), 'Container main failed liveness probe, will be restarted')
  })

  t.test('other probes wait for the startup probe', async t => {
    const flags = { volumeMounts: [{ name: 'flags', mountPath: '/flags' }] }
    await create('slow', {
      containers: [script('sleep 4; touch /flags/started; trap "exit 0" TERM; while :; do sleep 0.1; done', {
        ...flags,
        startupProbe: { ...quick, failureThreshold: 30, exec: { command: ['test', '-e', '/flags/started'] } },
        livenessProbe: { ...quick, exec: { command: ['test', '-e', '/flags/started'] } },
      })],
      volumes: [{ name: 'flags', emptyDir: {} }],
    })
    const before = await until('slow', pod => mainOf(pod)?.state.running, 'running')
    t.match(mainOf(before), { started: false, ready: false })
    t.match(mainOf(await until('slow', isReady, 'ready')), { started: true, restartCount: 0 })
  })

  t.test('a container that never starts is restarted', async t => {
    const port = await freePort()
    await create('never', {
      terminationGracePeriodSeconds: 2, containers: [script('sleep 1000', { startupProbe: { ...quick, tcpSocket: { port } } })],
    })
    const pod = await until('never', pod => mainOf(pod)?.restartCount === 1, 'restarted')
    // Process 1 of a container ignores signals that it has no handler for.
    t.match(mainOf(pod)?.lastState.terminated, { exitCode: 137, reason: 'Error' })
    t.match(await events('never', 'Unhealthy'), `Startup probe failed: dial tcp 127.0.0.1:${port}: ECONNREFUSED`)
  })

  t.test('a command that takes too long has failed', async t => {
    await create('late', {
      containers: [script('trap "exit 0" TERM; while :; do sleep 0.1; done', { readinessProbe: { ...quick, timeoutSeconds: 1, exec: { command: ['sleep', '60'] } } })],
    })
    await eventually(async () => (await events('late', 'Unhealthy')).includes('timed out after 1s'), 'an event')
    t.notOk(isReady(await until('late', () => true, 'there')))
  })

  t.test('no unexpected errors in the node', async t => { t.strictSame(node.faults, []) })
}
