import { Agent, request } from 'node:https'
import { text } from 'node:stream/consumers'
import { connect } from 'node:tls'
import { once } from 'node:events'
import { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import t from 'tap'
import { issueCa } from '../../src/tls/issue.ts'
import { serveWith } from '../../src/tls/serve-with.ts'
import { eventually } from '../control-plane/control-plane.ts'
import { ca as signer, expired, handshake, issue, presented, startServer, type Files } from './certificates.ts'
import { observe, SecretVolume, writeFiles } from './source.ts'

const ca = signer.certificate
const serialOf = ({ 'tls.crt': certificate }: Partial<Files>) => new X509Certificate(certificate ?? '').serialNumber

/** A request over a connection that the agent keeps, and on which socket it went. */
async function get (port: number, agent: Agent) {
  const { promise, resolve, reject } = Promise.withResolvers<{ body: string, localPort: number | undefined, reused: boolean }>()
  const outgoing = request({ host: '127.0.0.1', servername: 'localhost', port, agent }, reply => {
    const localPort = reply.socket.localPort
    text(reply).then(body => resolve({ body, localPort, reused: outgoing.reusedSocket }), reject)
  })
  outgoing.on('error', reject)
  outgoing.end()
  return await promise
}

async function serve (t: Parameters<typeof observe>[0], directory: string, first: Files) {
  const observed = observe(t, { directory })
  await observed.source.start()
  const { server, port } = await startServer(t, first)
  t.teardown(serveWith(server, observed.source))
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca })
  t.teardown(() => agent.destroy())
  return { ...observed, server, port, agent }
}

t.test('an open connection survives a reload, and new ones get the new certificate', async t => {
  const [first, second] = [await issue(), await issue()]
  const directory = t.testdir({ ...first })
  const { port, agent, source } = await serve(t, directory, first)
  const before = await get(port, agent)
  t.equal((await presented(port, ca)).serialNumber, serialOf(first))

  writeFiles(directory, second)
  await eventually(async () => source.pair.serial === serialOf(second), 'the new pair')
  t.equal((await presented(port, ca)).serialNumber, serialOf(second))
  t.strictSame(await get(port, agent), { ...before, reused: true }, 'the same connection')
})

t.test('a session from before the reload is not resumed', async t => {
  const [first, second] = [await issue(), await issue()]
  const directory = t.testdir({ ...first })
  const { port, source } = await serve(t, directory, first)
  for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
    const connection = { host: '127.0.0.1', port, ca, servername: 'localhost', maxVersion }
    const one = connect(connection)
    one.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
    const [session] = await once(one, 'session') as [Buffer]
    one.destroy()
    const resumed = connect({ ...connection, session })
    await once(resumed, 'secureConnect')
    t.equal(resumed.isSessionReused(), true, `${maxVersion}: resumed while the certificate is the same`)
    resumed.destroy()

    const next = source.pair.serial === serialOf(first) ? second : first
    writeFiles(directory, next)
    await eventually(async () => source.pair.serial === serialOf(next), 'the new pair')
    const after = connect({ ...connection, session })
    await once(after, 'secureConnect')
    t.equal(after.isSessionReused(), false)
    t.equal(after.getPeerCertificate().serialNumber, serialOf(next))
    after.destroy()
  }
})

t.test('TLS 1.1 stays refused after a reload', async t => {
  const [first, second] = [await issue(), await issue()]
  const directory = t.testdir({ ...first })
  const { port, source } = await serve(t, directory, first)
  writeFiles(directory, second)
  await eventually(async () => source.pair.serial === serialOf(second), 'the new pair')
  const old = connect({ host: '127.0.0.1', port, ca, servername: 'localhost', minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })
  await t.rejects(once(old, 'secureConnect'), { code: /ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION|ECONNRESET/ })
})

t.test('a hundred updates of a mounted Secret, every kind of bad one among them', async t => {
  const first = await issue()
  const volume = new SecretVolume(join(t.testdir({}), 'tls'), first)
  const { port, agent, source, count, logged } = await serve(t, volume.dir, first)
  const { localPort } = await get(port, agent)
  const stranger = await issueCa({ commonName: 'stranger', days: 9 })
  let served: Files = first

  // A client that shakes hands all the time must never see anything but a valid pair: it checks name, CA and time.
  const stopped = new AbortController()
  let handshakes = 0
  const client = (async () => {
    while (!stopped.signal.aborted) {
      (await handshake(port, ca)).destroy()
      handshakes++
    }
  })()

  const bad: readonly ((next: Files) => Partial<Files> | Promise<Partial<Files>>)[] = [
    next => ({ ...next, 'tls.key': served['tls.key'] }),
    next => ({ ...served, 'tls.key': next['tls.key'] }),
    next => ({ ...next, 'tls.crt': next['tls.crt'].slice(0, 300) }),
    next => ({ ...next, 'tls.key': `garbage ${Math.random()}` }),
    async () => await expired(),
    next => ({ 'tls.crt': next['tls.crt'], 'ca.crt': next['ca.crt'] }),
    next => ({ ...next, 'tls.crt': '' }),
  ]
  let refusals = 0
  for (let round = 0; round < 100; round++) {
    const next = await issue()
    const make = round % 2 === 0 ? undefined : bad[(round >> 1) % bad.length]
    const { refused } = count
    volume.update(make ? await make(next) : next)
    if (make) {
      refusals++
      await eventually(async () => count.refused > refused, 'a bad pair is counted')
    } else {
      await eventually(async () => source.pair.serial === serialOf(next), 'a good pair is in use')
      served = next
    }
    t.equal((await presented(port, ca)).serialNumber, serialOf(served), make ? 'the last good one stays' : 'the new one')
  }
  // Two contents that are bad one after the other, without a good one between.
  volume.update({ ...served, 'tls.key': stranger.key })
  await eventually(async () => logged(/refused/).length === refusals + 1, 'a foreign key')
  volume.update({ ...served, 'tls.crt': stranger.certificate })
  await eventually(async () => logged(/refused/).length === refusals + 2, 'a foreign certificate')

  stopped.abort()
  await client
  t.equal(logged(/refused/).length, refusals + 2, 'each bad pair is told once')
  t.ok(count.refused >= refusals + 2)
  t.equal(count.loaded, 51)
  t.ok(handshakes > 100, `${handshakes} handshakes, all of them good`)
  t.equal((await get(port, agent)).localPort, localPort, 'and the first connection is still open')
})
