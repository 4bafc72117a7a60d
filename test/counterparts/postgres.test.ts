import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { findPostgres, postgresOrSkip, startPostgres } from './postgres.ts'

const path = process.env.PATH ?? ''

t.test('an older version on the PATH is skipped', async t => {
  t.teardown(() => { process.env.PATH = path })
  const old = join(t.testdir({}), 'bin')
  mkdirSync(old)
  for (const name of ['postgres', 'initdb', 'psql']) writeFileSync(join(old, name), '#!/bin/sh\necho "postgres (PostgreSQL) 14.9"\n', { mode: 0o755 })
  process.env.PATH = `${old}:${path}`
  t.not(await findPostgres(), old)
  for (const name of ['postgres', 'initdb', 'psql']) writeFileSync(join(old, name), '#!/bin/sh\necho "postgres (PostgreSQL) 18.3"\n', { mode: 0o755 })
  t.equal(await findPostgres(), old)
})

t.test('a real PostgreSQL', async t => {
  const folder = await postgresOrSkip(t)
  if (folder === undefined) return
  const postgres = await startPostgres(t, folder)
  t.match(Number(await postgres.psql('SHOW server_version_num')) >= 150_000, true)
  await postgres.psql('CREATE TABLE kept (id integer)')
  t.equal(await postgres.psql('SHOW listen_addresses'), '127.0.0.1')
  await postgres.kill()
  await t.rejects(postgres.psql('SELECT 1'))
  await postgres.start()
  t.equal(await postgres.psql('SELECT count(*) FROM kept'), '0', 'the same data on the same port')
})
