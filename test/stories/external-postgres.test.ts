import t from 'tap'
import { eventually } from '../control-plane/control-plane.ts'
import { postgresOrSkip, startPostgres } from '../counterparts/postgres.ts'
import { adminSecret, fileServer, serverWith } from './file-server.ts'
import { patience, startStory } from './story.ts'
import { stopwatch } from './stopwatch.ts'

// A server keeps its data in a PostgreSQL of the user's own, given as a URL or by its parts.

const folder = await postgresOrSkip(t)
const story = folder && await startStory(t)
if (story) {
  const { apply, get, run, awaitObject, awaitGone, environmentOf, starts, faults } = story
  const postgres = await startPostgres(t, folder)
  const { host, port, user, password } = postgres
  await apply(adminSecret)

  const secret = async (name: string, stringData: Record<string, string>) =>
    await apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData })
  const tables = async (database: string) =>
    Number(await postgres.psql("select count(*) from information_schema.tables where table_schema = 'public'", database))
  /** One server at a time: their ports are the same. */
  const serve = async (name: string, key: string) => {
    await apply(serverWith(name, { database: { postgresSecretRef: { name: `${name}-connection`, key } } }))
    const server = await fileServer(story, name)
    await server.awaitReady()
    await server.login()
    return server
  }
  const remove = async (name: string) => {
    await run(['delete', 'ditto', name])
    await awaitGone('pod', `${name}-0`, patience)
  }

  await t.test('with separate keys', async t => {
    const time = stopwatch(t)
    await postgres.psql('create database parts')
    await secret('parts-connection', { host, port: String(port), database: 'parts', user, password })
    await serve('parts', 'host')
    time.total('from kubectl apply to a log-in')
    t.ok(await tables('parts') > 0, 'the server made its tables')
    await remove('parts')
  })

  await t.test('with a URL', async t => {
    const time = stopwatch(t)
    await postgres.psql('create database url')
    await secret('url-connection', { url: `postgres://${user}:${password}@${host}:${port}/url` })
    const server = await serve('url', 'url')
    time.total('from kubectl apply to a log-in')
    t.ok(await tables('url') > 0, 'the server made its tables')
    const before = await get('secret', 'url-postgres-env')

    await t.test('the Secret with the parts of the URL is deleted', async t => {
      await run(['delete', 'secret', 'url-postgres-env'])
      const after = await awaitObject('secret', 'url-postgres-env', () => true, 'made again', 30_000)
      t.strictSame(after.data, before?.data, 'as it was')
      t.equal(await server.health(), 200)
    })

    await t.test('and edited', async t => {
      await run(['patch', 'secret', 'url-postgres-env', '--type=merge', '-p', JSON.stringify({ stringData: { host: 'elsewhere.example.com' } })])
      await awaitObject('secret', 'url-postgres-env', ({ data }) => data?.host === before?.data?.host, 'its host', 30_000)
      t.strictSame((await get('secret', 'url-postgres-env'))?.data, before?.data, 'as it was')
    })

    await t.test('the URL changes: one restart with the new connection', async t => {
      await postgres.psql('create database other')
      const started = await starts(server.pod)
      await secret('url-connection', { url: `postgres://${user}:${password}@${host}:${port}/other` })
      await eventually(async () => await starts(server.pod) === started + 1, 'restarted', patience)
      await server.awaitReady()
      t.equal((await environmentOf(server.pod)).DITTOFS_DATABASE_POSTGRES_DATABASE, 'other')
      t.ok(await tables('other') > 0)
      t.equal(await starts(server.pod), started + 1)
    })
    await remove('url')
  })

  t.test('the measurements are valid', async t => { t.strictSame(faults, []) })
}
