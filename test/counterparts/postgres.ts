import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chown, mkdtemp, readdir, readFile, realpath, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import { isExecutable } from '../control-plane/binaries.ts'
import { freePort } from '../control-plane/free-port.ts'
import { programsIn } from '../control-plane/programs-in.ts'
import { skipOrFail } from '../control-plane/skip-or-fail.ts'

const run = promisify(execFile)

const oldest = 15
const programs = ['postgres', 'initdb', 'psql'] as const
/** Where Debian and Ubuntu keep each major version. */
const debianFolder = '/usr/lib/postgresql'

/** The folder with the programs of a PostgreSQL of this major version or newer: on the PATH, else where Debian puts them, newest first. */
export async function findPostgres (): Promise<string | undefined> {
  const onPath = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  const versions = (await readdir(debianFolder).catch(() => [])).sort((a, b) => Number(b) - Number(a))
  for (const folder of [...onPath, ...versions.map(version => join(debianFolder, version, 'bin'))]) {
    // On the PATH there may be links to some of the programs only.
    const real = await realpath(join(folder, 'postgres')).then(dirname, () => undefined)
    if (real === undefined) continue
    const complete = await Promise.all(programs.map(async program => await isExecutable(join(real, program))))
    if (complete.every(Boolean) && await majorVersion(real) >= oldest) return real
  }
  return undefined
}

/** 0 where it does not say. */
async function majorVersion (folder: string): Promise<number> {
  const { stdout } = await run(join(folder, 'postgres'), ['--version']).catch(() => ({ stdout: '' }))
  return Number(/\(PostgreSQL\) (\d+)/.exec(stdout)?.[1] ?? 0)
}

/** That folder. Where there is none the test is skipped, with how to get it; CI takes that for a failure. */
export async function postgresOrSkip (t: Test): Promise<string | undefined> {
  return await findPostgres() ??
    skipOrFail(t, `no PostgreSQL ${oldest} or newer on the PATH or in ${debianFolder}: install the package postgresql`)
}

/** A real PostgreSQL on a port of the loopback interface, with a password, that ends with the test. `folder` is from `postgresOrSkip`. */
export async function startPostgres (t: Pick<Test, 'teardown'>, folder: string) {
  const home = await mkdtemp(join(tmpdir(), 'postgres-'))
  const { program, stop } = programsIn(home)
  t.teardown(stop)
  const as = { ...await unprivileged(), cwd: home }
  const [user, password, database] = ['postgres', randomBytes(16).toString('hex'), 'postgres']
  const [data, passwordFile] = [join(home, 'data'), join(home, 'password')]
  await writeFile(passwordFile, password, { mode: 0o600 })
  if (as.uid !== undefined && as.gid !== undefined) for (const path of [home, passwordFile]) await chown(path, as.uid, as.gid)
  await run(join(folder, 'initdb'), [
    '--pgdata', data, '--username', user, '--pwfile', passwordFile, '--auth', 'scram-sha-256', '--encoding', 'UTF8', '--locale', 'C', '--no-sync',
  ], as)

  const [host, port] = ['127.0.0.1', await freePort()]
  const settings = { listen_addresses: host, port, unix_socket_directories: '', fsync: 'off', full_page_writes: 'off' }
  const server = program('postgres', join(folder, 'postgres'),
    ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    // Its eighth line is the state of the server: https://www.postgresql.org/docs/current/storage-file-layout.html
    async () => (await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n')[7]?.trim() === 'ready',
    // A killed one leaves shared memory behind.
    { process: as, endBy: 'SIGQUIT' })
  await server.start()
  return {
    host,
    port,
    user,
    password,
    database,
    url: `postgres://${user}:${password}@${host}:${port}/${database}`,
    /** The output of the statements, without headers or alignment. @throws the error of psql */
    psql: async (sql: string, inDatabase = database) => {
      const args = ['--no-psqlrc', '-tA', '-v', 'ON_ERROR_STOP=1', '-h', host, '-p', String(port), '-U', user, '-d', inDatabase, '-c', sql]
      return (await run(join(folder, 'psql'), args, { env: { PATH: process.env.PATH, PGPASSWORD: password } })).stdout.trim()
    },
    kill: async () => await server.kill(),
    /** On the same port with the same data. */
    start: async () => await server.start(),
  }
}

/** PostgreSQL refuses to run as root. */
async function unprivileged (): Promise<{ uid?: number, gid?: number }> {
  if (process.getuid?.() !== 0) return {}
  const idOf = async (flag: string) => Number((await run('id', [flag, 'nobody'])).stdout)
  return { uid: await idOf('-u'), gid: await idOf('-g') }
}
