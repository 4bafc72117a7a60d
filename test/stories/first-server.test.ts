import { randomBytes } from 'node:crypto'
import t from 'tap'
import { eventually } from '../control-plane/control-plane.ts'
import { adminSecret, fileServer, isReady, serverWith } from './file-server.ts'
import { patience, startStory } from './story.ts'
import { stopwatch } from './stopwatch.ts'

// From `kubectl apply` to a file that is written over NFS, outlives its pod, and is read over SMB.

const story = await startStory(t)
if (story) {
  const { apply, run, awaitObject, faults, operator } = story

  t.test('a first server', async t => {
    const time = stopwatch(t)
    await apply(adminSecret)
    await apply(serverWith('files'))
    time.lap('kubectl apply')
    const server = await fileServer(story, 'files')
    const first = await awaitObject('pod', 'files-0', ({ spec }) => spec.nodeName, 'scheduled', patience)
    time.lap('objects made, claims bound, pod scheduled')
    await awaitObject('pod', 'files-0', ({ status }) => status?.phase === 'Running', 'running', patience)
    time.lap('process started')
    t.equal(await server.isReady(), false, 'a process is not yet a server')
    await eventually(async () => await server.health() === 200, '/health/ready', patience)
    time.lap('/health/ready answers')
    await awaitObject('pod', 'files-0', isReady, 'ready', patience)
    time.lap('pod ready: its readiness probe begins after 10 s')
    await server.awaitReady(5000)
    time.lap('DittoServer Ready=True')
    time.total('from kubectl apply to Ready=True')

    await server.login()
    await server.makeShare('files')
    time.lap('logged in, stores and share made')
    const content = randomBytes(3_000_000)
    await server.write('files', 'f', content)
    time.lap('3 MB written over NFS')

    await run(['delete', 'pod', 'files-0'])
    time.lap('pod deleted')
    await server.awaitUnready()
    await awaitObject('pod', 'files-0', ({ metadata }) => metadata.uid !== first.metadata.uid, 'made again', patience)
    await server.awaitReady()
    time.lap('pod back, Ready=True')
    t.equal(await server.health(), 200)
    t.ok(content.equals(await server.read('files', 'f')), 'the same bytes')
    time.lap('3 MB read over SMB')
    time.total('the story')
    t.strictSame(faults, [])
    t.strictSame(operator.lines.filter(({ level }) => level === 'error' || level === 'warn'), [])
  })
}
