import { EventEmitter } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { endLastConnections } from '../../src/admission/last-connections.ts'

class Connection extends EventEmitter {
  readonly remoteAddress = '192.0.2.1'
  readonly remotePort: number
  destroyed = false

  constructor (remotePort: number) {
    super()
    this.remotePort = remotePort
  }

  destroy (): void { this.destroyed = true }
}

/** A server that closes, seen from its connections. */
function serverOf (requestTimeout: number) {
  const server = Object.assign(new EventEmitter(), {
    idle: 0,
    all: 0,
    closeIdleConnections () { server.idle++ },
    closeAllConnections () { server.all++ },
  })
  return { server, begin: endLastConnections(server as never, requestTimeout) }
}

/** Milliseconds after which the first sweep is over, and the second has not begun. */
const swept = 1_400

t.test('a connection that never carried a request is ended a second later', async t => {
  const { server, begin } = serverOf(60_000)
  const [shaking, spare, used] = [new Connection(1), new Connection(2), new Connection(3)]
  const [gone, goneSpare] = [new Connection(4), new Connection(5)]
  for (const each of [shaking, spare, used, gone, goneSpare]) server.emit('connection', each)
  for (const each of [spare, used, goneSpare]) server.emit('secureConnection', each)
  server.emit('request', { socket: used })
  for (const each of [gone, goneSpare]) each.emit('close')
  const [before, after] = [new Connection(6), new Connection(6)]
  for (const each of [before, after]) server.emit('connection', each)
  before.emit('close')
  begin()
  t.notOk(shaking.destroyed || spare.destroyed, 'a request that is on its way may arrive')
  await delay(swept)
  server.emit('close')
  t.strictSame([shaking.destroyed, spare.destroyed, used.destroyed], [true, true, false])
  t.ok(server.idle > 0, 'those that wait for another request, too')
  t.notOk(gone.destroyed || goneSpare.destroyed, 'what is over is forgotten')
  t.strictSame([before.destroyed, after.destroyed], [false, true], 'a port of the client that is used again')
  t.equal(server.all, 0)
})

t.test('a request that takes too long to arrive is not waited for', async t => {
  const { server, begin } = serverOf(50)
  const other = serverOf(50)
  begin()
  other.begin()
  other.server.emit('close')
  await delay(swept)
  server.emit('close')
  t.equal(server.all, 1)
  t.strictSame([other.server.idle, other.server.all], [0, 0], 'nothing is left to do once the server has closed')
})
