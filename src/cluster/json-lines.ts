import { ConnectionError } from './api-error.ts'
import { parseJson } from './http-exchange.ts'

const lineFeed = 0x0a

/**
 * The values of a stream with one JSON text per line, as in a watch. Lines are split as bytes: a chunk may end inside a character, but no
 * byte of a multi-byte UTF-8 sequence is a line feed. A last line without a line feed is incomplete and is dropped. Throws ConnectionError
 * for a line that is not JSON or longer than `maxBytes`.
 */
export async function * jsonLines (stream: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<unknown> {
  let pieces: Buffer[] = []
  let length = 0
  const add = (piece: Buffer) => {
    length += piece.length
    if (length > maxBytes) throw new ConnectionError(`a line is longer than ${maxBytes} bytes`, 'ETOOLARGE')
    pieces.push(piece)
  }
  for await (const chunk of stream) {
    let from = 0
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, from)) {
      add(chunk.subarray(from, end))
      from = end + 1
      const line = Buffer.concat(pieces, length).toString('utf8').trim()
      pieces = []
      length = 0
      if (line !== '') yield parseJson(line)
    }
    if (from < chunk.length) add(chunk.subarray(from))
  }
}
