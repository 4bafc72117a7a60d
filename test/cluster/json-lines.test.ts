import t from 'tap'
import { jsonLines } from '../../src/cluster/json-lines.ts'

async function * chunks (bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function all (stream: AsyncIterable<Buffer>, maxBytes = 1000) {
  const values: unknown[] = []
  for await (const value of jsonLines(stream, maxBytes)) values.push(value)
  return values
}

await t.test('values are complete, whatever the chunk boundaries are', async t => {
  const values = [{ name: 'Grüße, 世界 🌍' }, [], 'a\nb', 7]
  const bytes = Buffer.from(values.map(value => `${JSON.stringify(value)}\n`).join(''))
  for (let size = 1; size <= bytes.length; size++) t.strictSame(await all(chunks(bytes, size)), values, `chunks of ${size}`)
})

await t.test('blank lines and carriage returns are skipped, an incomplete line is dropped', async t => {
  t.strictSame(await all(chunks(Buffer.from('1\r\n\n \n2\n{"a":'), 100)), [1, 2])
})

await t.test('the error for a line that is not JSON does not quote the line', async t => {
  await t.rejects(all(chunks(Buffer.from('1\nhunter2 garbage\n'), 100)), { code: 'EMALFORMED', message: /^the reply, 15 characters, is not JSON$/ })
})

await t.test('a line without an end is rejected', async t => {
  await t.rejects(all(chunks(Buffer.alloc(2000, 'x'), 100)), { code: 'ETOOLARGE' })
  t.strictSame(await all(chunks(Buffer.from('1\n'.repeat(5000)), 64), 10), Array(5000).fill(1), 'the bound is for one line')
})
