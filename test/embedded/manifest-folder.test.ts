import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { ManifestFolder } from '../../src/embedded/manifest-folder.ts'
import { eventually } from '../control-plane/control-plane.ts'

const object = (name: string) => `{apiVersion: v1, kind: Secret, metadata: {name: ${name}}}\n`

async function start (t: Test, dir: string) {
  const lines: Record<string, unknown>[] = []
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) })
  const folder = new ManifestFolder(dir, log)
  t.teardown(() => folder.stop())
  await folder.start()
  const names = () => folder.manifests.map(({ name }) => name)
  const settlesOn = async (...expected: string[]) => {
    await eventually(async () => names().join() === expected.join(), 'read again', 10_000).catch(() => {})
    t.strictSame(names(), expected)
  }
  const logged = (message: RegExp) => lines.filter(({ msg }) => message.test(String(msg)))
  return { folder, names, settlesOn, logged }
}

t.test('files are read again when they change', async t => {
  const dir = t.testdir({ 'a.yaml': object('a'), sub: { 'b.yaml': object('b') } })
  const { folder, names, settlesOn, logged } = await start(t, dir)
  t.strictSame(names(), ['a', 'b'])
  let changes = 0
  folder.onChange(() => { changes++ })

  writeFileSync(join(dir, 'a.yaml'), object('a2'))
  await settlesOn('a2', 'b')
  t.ok(changes >= 1)
  t.match(logged(/manifests read again/), [{ level: 30, folder: dir, objects: 2 }])
  writeFileSync(join(dir, 'c.yaml'), object('c'))
  await settlesOn('a2', 'c', 'b')
  writeFileSync(join(dir, 'sub', 'b.yaml'), object('b2'))
  await settlesOn('a2', 'c', 'b2')
  rmSync(join(dir, 'a.yaml'))
  await settlesOn('c', 'b2')
  writeFileSync(join(dir, 'c.yaml.new'), object('c2'))
  renameSync(join(dir, 'c.yaml.new'), join(dir, 'c.yaml'))
  await settlesOn('c2', 'b2')
  mkdirSync(join(dir, 'new'))
  writeFileSync(join(dir, 'new', 'd.yaml'), object('d'))
  await settlesOn('c2', 'd', 'b2')
  rmSync(join(dir, 'sub'), { recursive: true })
  await settlesOn('c2', 'd')
})

t.test('a broken file keeps its last valid content', async t => {
  const dir = t.testdir({ 'a.yaml': object('a'), 'b.yaml': object('b') })
  const { settlesOn, logged } = await start(t, dir)
  writeFileSync(join(dir, 'a.yaml'), 'apiVersion: [')
  writeFileSync(join(dir, 'b.yaml'), object('b2'))
  await settlesOn('a', 'b2')
  t.match(logged(/manifest refused/), [{ level: 50, file: join(dir, 'a.yaml'), cause: /a\.yaml:1: / }])
  writeFileSync(join(dir, 'a.yaml'), object('a2'))
  await settlesOn('a2', 'b2')
})

t.test('a file that is broken at the start', async t => {
  const dir = t.testdir({ 'a.yaml': 'hello', 'b.yaml': object('b') })
  const { names, settlesOn, logged } = await start(t, dir)
  t.strictSame(names(), ['b'])
  t.match(logged(/manifest refused/), [{ cause: /not a Kubernetes object/ }])
  writeFileSync(join(dir, 'a.yaml'), object('a'))
  await settlesOn('a', 'b')
})

t.test('a file that is deleted and returns broken has no last valid content', async t => {
  const dir = t.testdir({ 'a.yaml': object('a'), 'b.yaml': object('b') })
  const { settlesOn, logged } = await start(t, dir)
  rmSync(join(dir, 'a.yaml'))
  await settlesOn('b')
  writeFileSync(join(dir, 'a.yaml'), 'hello')
  writeFileSync(join(dir, 'c.yaml'), object('c'))
  await settlesOn('b', 'c')
  t.match(logged(/manifest refused/), [{ cause: /not a Kubernetes object/ }])
})

t.test('a file that cannot be read at all', async t => {
  const dir = t.testdir({ 'b.yaml': object('b') })
  symlinkSync('nowhere', join(dir, 'a.yaml'))
  const { names, logged } = await start(t, dir)
  t.strictSame(names(), ['b'])
  t.match(logged(/manifest refused/), [{ level: 50, file: join(dir, 'a.yaml'), cause: /ENOENT/ }])
})

t.test('empty before the folder is read', async t => {
  t.strictSame(new ManifestFolder(t.testdir({ 'a.yaml': object('a') }), pino({ level: 'silent' })).manifests, [])
})

t.test('no such folder', async t => {
  const dir = join(t.testdir({}), 'nowhere')
  await t.rejects(start(t, dir), { code: 'ENOENT' })
})

t.test('the folder is deleted', async t => {
  const dir = join(t.testdir({ inner: { 'a.yaml': object('a') } }), 'inner')
  const { names, logged } = await start(t, dir)
  rmSync(dir, { recursive: true })
  await eventually(async () => logged(/cannot read the folder|manifests read again/).length > 0, 'noticed', 10_000)
  await eventually(async () => logged(/cannot read the folder; its last content is still used/).length > 0, 'told', 5_000)
  t.strictSame(names(), ['a'])
})
