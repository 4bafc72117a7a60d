import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { eventually } from '../control-plane/control-plane.ts'
import { adminSecret, fileServer, serverWith } from './file-server.ts'
import { patience, startStory } from './story.ts'
import { stopwatch } from './stopwatch.ts'
import type { Test } from 'tap'

// Credentials are replaced by writing to their Secrets: the server restarts once, with the new ones.

const story = await startStory(t)
if (story) {
  const { apply, patch, run, starts, environmentOf, faults } = story

  const secret = (name: string, stringData: Record<string, string>) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData })
  const keys = (id: string) => ({ accessKeyId: id, secretAccessKey: `secret of ${id}` })
  await apply(adminSecret)
  await apply(secret('s3', keys('first')))
  const firstKey = 'the first key of at least 32 characters'
  await apply(secret('jwt', { key: firstKey }))
  await apply(secret('unused', { key: 'first' }))
  const { identity } = serverWith('files').spec
  await apply(serverWith('files', {
    identity: { ...identity, jwt: { secretRef: { name: 'jwt', key: 'key' } } },
    s3: { region: 'eu-central-1', credentialsSecretRef: { secretName: 's3' } },
  }))
  const server = await fileServer(story, 'files')
  await server.awaitReady()
  t.match(await environmentOf(server.pod), {
    AWS_ACCESS_KEY_ID: 'first', AWS_SECRET_ACCESS_KEY: 'secret of first', DITTOFS_CONTROLPLANE_SECRET: firstKey,
  }, 'what it starts with')
  t.equal(await starts(server.pod), 1)

  /** Long enough for a restart to begin: the watch, the pass, the StatefulSet controller. */
  const quiet = 15_000

  /** Does it, and sees one restart that ends in `expected`, and none after it. */
  const restartsOnce = async (t: Test, change: () => Promise<unknown>, expected: Readonly<Record<string, string>>) => {
    const time = stopwatch(t)
    const before = await starts(server.pod)
    await change()
    await eventually(async () => await starts(server.pod) === before + 1, 'restarted', patience)
    time.lap('new process')
    await server.awaitReady()
    time.lap('Ready=True')
    t.match(await environmentOf(server.pod), expected, 'the new environment')
    await delay(quiet)
    t.equal(await starts(server.pod), before + 1, 'once')
  }

  t.test('S3 credentials', async t => {
    await restartsOnce(t, async () => await apply(secret('s3', keys('second'))), {
      AWS_ACCESS_KEY_ID: 'second', AWS_SECRET_ACCESS_KEY: 'secret of second', DITTOFS_CONTROLPLANE_SECRET: firstKey,
    })
  })

  t.test('the signing key', async t => {
    await restartsOnce(t, async () => await apply(secret('jwt', { key: 'another key of at least 32 characters' })), {
      AWS_ACCESS_KEY_ID: 'second', DITTOFS_CONTROLPLANE_SECRET: 'another key of at least 32 characters',
    })
    await server.login()
  })

  t.test('unrelated changes restart nothing', async t => {
    const before = await starts(server.pod)
    await apply(secret('unused', { key: 'second' }))
    await patch('secret', 's3', { stringData: { note: 'a key that the server does not read' } })
    await run(['label', 'secret', 'jwt', 'team=storage'])
    await delay(quiet)
    t.equal(await starts(server.pod), before)
    t.ok(await server.isReady())
  })

  t.test('the measurements are valid', async t => { t.strictSame(faults, []) })
}
