import t from 'tap'
import { eventually } from '../control-plane/control-plane.ts'
import { adminSecret, fileServer, serverWith } from './file-server.ts'
import { patience, startStory } from './story.ts'
import { stopwatch } from './stopwatch.ts'

// Deleted objects are restored unchanged, and the server's database keeps its data.

const story = await startStory(t)
if (story) {
  const { apply, get, run, awaitObject, awaitGone, starts, faults } = story
  await apply(adminSecret)
  const spec = serverWith('files')
  await apply(spec)
  const server = await fileServer(story, 'files')
  await server.awaitReady()
  await server.login()
  await server.makeShare('kept')
  const content = Buffer.from('written before anything was deleted')
  await server.write('kept', 'f', content)

  /** In SQLite: shares. On the other volumes: a file of one. */
  const dataIsThere = async () => {
    await server.login()
    return (await server.ctl('share', 'list')).includes('/kept') && content.equals(await server.read('kept', 'f'))
  }
  t.ok(await dataIsThere(), 'before anything is deleted')

  for (const kind of ['pod', 'statefulset']) {
    t.test(`kubectl delete ${kind}`, async t => {
      const time = stopwatch(t)
      const name = kind === 'pod' ? server.pod : 'files'
      const before = await get(kind, name)
      const started = await starts(server.pod)
      await run(['delete', kind, name])
      const after = await awaitObject(kind, name, ({ metadata }) => metadata.uid !== before?.metadata.uid, 'made again', patience)
      time.lap('made again')
      await eventually(async () => await starts(server.pod) > started, 'a new process', patience)
      await server.awaitReady()
      time.lap('Ready=True')
      if (kind === 'statefulset') t.strictSame(after.spec, before?.spec, 'as it was')
      t.ok(await dataIsThere(), 'with its data')
    })
  }

  for (const [kind, name] of [['service', 'files-file'], ['service', 'files-api'], ['service', 'files-headless'], ['configmap', 'files-config']] as const) {
    t.test(`kubectl delete ${kind} ${name}`, async t => {
      const before = await get(kind, name)
      const started = await starts(server.pod)
      await run(['delete', kind, name])
      const after = await awaitObject(kind, name, ({ metadata }) => metadata.uid !== before?.metadata.uid, 'made again', 30_000)
      t.strictSame(after.data, before?.data)
      t.strictSame(withoutAddress(after.spec), withoutAddress(before?.spec), 'as it was')
      t.equal(await server.health(), 200)
      t.equal(await starts(server.pod), started, 'the process runs on')
    })
  }

  t.test('kubectl delete ditto, and recreated', async t => {
    const time = stopwatch(t)
    await run(['delete', 'ditto', 'files'])
    for (const [kind, name] of [['statefulset', 'files'], ['pod', server.pod]] as const) await awaitGone(kind, name, patience)
    time.lap('deleted')
    await apply(spec)
    await server.awaitReady()
    time.lap('Ready=True')
    t.ok(await dataIsThere(), 'with its data')
  })

  t.test('the measurements are valid', async t => { t.strictSame(faults, []) })
}

/** A recreated Service has another address, unless it is headless. */
function withoutAddress (spec: Readonly<Record<string, unknown>> | undefined) {
  const { clusterIP, clusterIPs, ...rest } = spec ?? {}
  return clusterIP === 'None' ? { clusterIP, clusterIPs, ...rest } : rest
}
