import { once } from 'node:events'
import { connect } from 'node:net'
import type { Test } from 'tap'

const within = 10_000

/**
 * One TCP connection to an NFS server that stays open until the test ends. Its pings are calls of the procedure NULL of NFS 3:
 * https://www.rfc-editor.org/rfc/rfc5531, https://www.rfc-editor.org/rfc/rfc1813#section-3.3.0
 */
export async function openNfsConnection (t: Pick<Test, 'teardown'>, port: number) {
  const socket = connect({ host: '127.0.0.1', port })
  await once(socket, 'connect')
  socket.setKeepAlive(true)
  t.teardown(() => { socket.destroy() })
  let xid = 1
  return {
    /** @throws when the connection is closed, or there is no answer that accepts the call */
    ping: async () => {
      const [call, program, version, procedure] = [0, 100003, 3, 0]
      const words = [0x80000000 + 40, ++xid, call, 2, program, version, procedure, 0, 0, 0, 0]
      const message = Buffer.alloc(words.length * 4)
      words.forEach((word, index) => message.writeUInt32BE(word, index * 4))
      socket.write(message)
      const [reply] = await once(socket, 'data', { signal: AbortSignal.timeout(within) }) as [Buffer]
      const [, replied, type, status, , , accepted] = Array.from({ length: 7 }, (_, index) => reply.readUInt32BE(index * 4))
      if (replied !== xid || type !== 1 || status !== 0 || accepted !== 0) throw new Error(`not an answer: ${reply.toString('hex')}`)
    },
  }
}
