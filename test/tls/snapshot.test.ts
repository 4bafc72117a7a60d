import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { readSnapshot } from '../../src/tls/snapshot.ts'
import { SecretVolume, writeFiles } from './source.ts'

const files = { 'tls.crt': 'certificate', 'tls.key': 'key' }

t.test('plain files', async t => {
  const read = await readSnapshot(t.testdir({ ...files, 'ca.crt': 'ca' }))
  t.strictSame(Object.values(read).map(String), ['certificate', 'key', 'ca'])
  t.equal((await readSnapshot(t.testdir(files))).ca, undefined)
})

t.test('files behind the link of a Secret volume', async t => {
  const dir = t.testdir({ '..2026_01': files, '..2026_02': { 'tls.crt': 'second certificate', 'tls.key': 'second key' } })
  symlinkSync('..2026_01', join(dir, '..data'))
  for (const name of ['tls.crt', 'tls.key']) symlinkSync(join('..data', name), join(dir, name))
  t.equal(String((await readSnapshot(dir)).key), 'key')
  rmSync(join(dir, '..data'))
  symlinkSync('..2026_02', join(dir, '..data'))
  const { certificate, key } = await readSnapshot(dir)
  t.strictSame([String(certificate), String(key)], ['second certificate', 'second key'])
})

t.test('no reading of a Secret volume mixes two revisions, however fast they follow', async t => {
  const revision = (number: number) => ({ 'tls.crt': `${number}`, 'tls.key': `${number}`, 'ca.crt': `${number}` })
  let latest = 0
  const volume = new SecretVolume(join(t.testdir({}), 'tls'), revision(latest))
  const writer = setInterval(() => volume.update(revision(++latest)), 10)
  const seen = new Set<string>()
  const deadline = performance.now() + 30_000
  while (seen.size < 100 && performance.now() < deadline) {
    const { certificate, key, ca } = await readSnapshot(volume.dir).catch(unsteady)
    if (String(certificate) !== String(key) || String(certificate) !== String(ca)) t.fail(`${certificate}, ${key}, ${ca}`)
    seen.add(String(certificate))
  }
  clearInterval(writer)
  t.ok(seen.size >= 100, `${seen.size} of ${latest} revisions seen`)
})

/** A volume that never holds still may be given up on, but nothing else may go wrong. */
function unsteady (error: Error) {
  if (!/keep changing|does not exist/.test(error.message)) throw error
  return { certificate: '', key: '', ca: '' }
}

const faults: Readonly<Record<string, readonly [(dir: string) => void, string]>> = {
  'no folder': [dir => rmSync(dir, { recursive: true }), 'the folder does not exist'],
  'no certificate': [dir => rmSync(join(dir, 'tls.crt')), 'tls.crt does not exist'],
  'no key': [dir => rmSync(join(dir, 'tls.key')), 'tls.key does not exist'],
  'a link to nowhere': [dir => {
    rmSync(join(dir, 'tls.key'))
    symlinkSync('nowhere', join(dir, 'tls.key'))
  }, 'tls.key does not exist'],
  'a link to itself': [dir => {
    rmSync(join(dir, 'tls.key'))
    symlinkSync('tls.key', join(dir, 'tls.key'))
  }, 'tls.key cannot be read: ELOOP'],
  'a folder for a file': [dir => {
    rmSync(join(dir, 'tls.crt'))
    mkdirSync(join(dir, 'tls.crt'))
  }, 'tls.crt is not a file'],
  'a pipe that nobody writes to': [dir => {
    rmSync(join(dir, 'tls.crt'))
    execFileSync('mkfifo', [join(dir, 'tls.crt')])
  }, 'tls.crt is not a file'],
  'a file without end': [dir => truncateSync(join(dir, 'tls.crt'), 2 ** 40), 'tls.crt is larger than 1048576 bytes'],
  'a file for a folder': [dir => {
    rmSync(dir, { recursive: true })
    writeFileSync(dir, 'x')
  }, 'the folder cannot be read: ENOTDIR'],
}

for (const [what, [spoil, message]] of Object.entries(faults)) {
  t.test(`refused: ${what}`, async t => {
    const dir = join(t.testdir({ tls: files }), 'tls')
    spoil(dir)
    await t.rejects(readSnapshot(dir), { name: 'KeyPairError', message })
  })
}

t.test('refused: a key that others own', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'snapshot-'))
  t.teardown(() => { rmSync(dir, { recursive: true }) })
  writeFiles(dir, files)
  chmodSync(dir, 0o755)
  chmodSync(join(dir, 'tls.key'), 0)
  // Root may read everything, and is nobody for a moment.
  const isRoot = process.getuid?.() === 0
  if (isRoot) process.seteuid?.(65534)
  try {
    await t.rejects(readSnapshot(dir), { name: 'KeyPairError', message: 'tls.key cannot be read: permission denied' })
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
})

t.test('refused: files that never hold still', async t => {
  const dir = t.testdir(files)
  let count = 0
  const writer = setInterval(() => writeFileSync(join(dir, 'tls.crt'), `certificate ${count++}`), 2)
  await t.rejects(readSnapshot(dir), { name: 'KeyPairError', message: 'tls.crt and tls.key keep changing while they are read' })
  clearInterval(writer)
})
