import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { connect, type TLSSocket } from 'node:tls'
import t from 'tap'
import { mostBytes } from '../../src/admission/intake.ts'
import { samples, serve } from '../command-line/program.ts'
import { eventually } from '../control-plane/control-plane.ts'

// 64 callers each send a body of the maximum size, but never its end. Together that is 448 MB, which the server must not keep in memory.

const callers = 64
const announced = 7 * 1024 * 1024
const sent = announced - 1024
const chunk = Buffer.alloc(64 * 1024, ' ')

/** MiB that the process holds, in memory of its own. https://man7.org/linux/man-pages/man5/proc_pid_status.5.html */
const residentOf = async (pid: number | undefined) =>
  Number(/^RssAnon:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid ?? 0}/status`, 'utf8'))?.[1]) / 1024

interface Caller {
  readonly socket: TLSSocket
  readonly answer: () => string
  /** An answer came, or the connection is gone. */
  readonly over: Promise<unknown>
}

async function call (port: number): Promise<Caller> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false })
  let answer = ''
  const over = new Promise(resolve => { socket.once('data', resolve).once('close', resolve) })
  socket.on('data', data => { answer += String(data) })
  socket.on('error', () => {}) // the server closes a connection after it has refused the request
  await once(socket, 'secureConnect')
  socket.write(`POST /validate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${announced}\r\n\r\n`)
  return { socket, answer: () => answer, over }
}

/** Sends as much as is taken. */
async function send ({ socket, answer, over }: Caller): Promise<void> {
  for (let count = 0; count < sent && answer() === '' && socket.writable; count += chunk.length) {
    const written = new Promise(resolve => { socket.write(chunk.subarray(0, Math.min(chunk.length, sent - count)), resolve) })
    await Promise.race([written, over])
  }
}

const skip = process.platform === 'linux' ? false : 'memory is read from /proc'
await t.test('unfinished bodies', { skip }, async t => {
  const server = await serve(t, ['--embedded', samples], { cwd: t.testdir({}) })
  await server.said(/Ctrl-C stops/)
  const before = await residentOf(server.child.pid)

  const all = await Promise.all(Array.from({ length: callers }, async () => await call(server.port)))
  let most = 0
  let slowest = 0
  const watching = new AbortController()
  const watch = (async () => {
    while (!watching.signal.aborted) {
      const began = performance.now()
      t.equal((await server.get('/healthz')).status, 200)
      slowest = Math.max(slowest, performance.now() - began)
      most = Math.max(most, await residentOf(server.child.pid))
      await delay(50)
    }
  })()
  await Promise.all(all.map(send))
  const isRefused = ({ answer }: Caller) => answer().startsWith('HTTP/1.1 429 ')
  // A caller that still sends when the server closes may lose the answer: the system discards it with the connection.
  const isOver = ({ answer, socket }: Caller) => answer() !== '' || socket.destroyed
  await eventually(async () => all.filter(isOver).length >= callers - Math.ceil(mostBytes / sent), 'the others are refused', 60_000)
  watching.abort()
  await watch

  const refused = all.filter(isRefused)
  t.comment(`${refused.length} of ${callers} refused; ${before.toFixed(0)} MiB before, ${most.toFixed(0)} at most; health after at most ${slowest.toFixed(0)} ms`)
  t.ok(refused.length > 0 && refused.length < callers, 'some are told, some are held')
  for (const { answer } of refused) t.match(answer(), /\r\nretry-after: 1\r\n/i)
  // On a slow machine the time for a whole request may be over before all are refused.
  for (const { answer } of all.filter(caller => !isRefused(caller))) t.match(answer(), /^$|^HTTP\/1\.1 408 /)
  // What is held is bounded. What was read before it was refused is garbage, of which some is not collected yet.
  t.ok(most - before < 6 * mostBytes / 2 ** 20, `${(most - before).toFixed(0)} MiB more`)

  for (const { socket } of all) socket.destroy()
  await eventually(async () => {
    const another = await call(server.port)
    await send(another)
    const isTaken = another.answer() === ''
    another.socket.end(Buffer.alloc(announced - sent, ' '))
    await once(another.socket, 'close').catch(() => {})
    return isTaken && /^HTTP\/1\.1 400 .*the body is not JSON/s.test(another.answer())
  }, 'another is taken once they are gone', 30_000)
})
