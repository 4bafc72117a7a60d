import { Readable } from 'node:stream'
import t from 'tap'
import { BodyBudget, bodyLimit, isOverladen, mostDepth, mostNodes, ordinarySize, parseBody, receive } from '../../src/admission/body.ts'

t.test('a budget of bytes', async t => {
  const budget = new BodyBudget(10)
  t.ok(budget.take(4))
  t.notOk(budget.take(7))
  t.equal(budget.held, 4, 'what is refused is not held')
  t.ok(budget.take(6))
  t.notOk(budget.take(1))
  budget.give(3)
  t.equal(budget.held, 7)
  t.ok(budget.take(3))
})

const stream = (...sizes: readonly number[]) => Readable.from(sizes.map(size => Buffer.alloc(size, 'x')))

t.test('a body is read to its end; the budget counts what is beyond the ordinary', async t => {
  const budget = new BodyBudget(1_000)
  const small = await receive(stream(3, 4), 7, budget)
  t.equal(small.bytes.toString(), 'xxxxxxx')
  t.equal(budget.held, 0)
  await receive(stream(ordinarySize), NaN, budget)
  t.equal(budget.held, 0)
  const large = await receive(stream(ordinarySize - 1, 2, 300), NaN, budget)
  t.equal(large.bytes.length, ordinarySize + 301)
  t.equal(budget.held, 301)
  await t.rejects(receive(stream(ordinarySize + 500, 200, 1), NaN, budget), { statusCode: 429, message: 'too many large bodies at once' })
  t.equal(budget.held, 301, 'what was taken for a refused one is given back')
  large.release()
  large.release()
  t.equal(budget.held, 0, 'once only')
})

t.test('a body that is too large is refused before it is read', async t => {
  const budget = new BodyBudget(2 * bodyLimit)
  const unread = stream(1)
  await t.rejects(receive(unread, bodyLimit + 1, budget), { statusCode: 413, message: `the body must have at most ${bodyLimit} bytes` })
  t.notOk(unread.readableDidRead)
  await t.rejects(receive(stream(bodyLimit, 1), NaN, budget), { name: 'BodyRefused', statusCode: 413 })
  t.equal(budget.held, 0)
  const { bytes } = await receive(stream(bodyLimit - 5, 5), bodyLimit, budget)
  t.equal(bytes.length, bodyLimit)
  await t.rejects(receive(new Readable({ read () { this.destroy(new Error('hung up')) } }), NaN, budget), /hung up/)
})

const overladen = (json: string) => isOverladen(Buffer.from(json))
const list = (count: number, item: string) => `[${Array.from({ length: count }).fill(item).join()}]`
const nested = (depth: number, open = '[', close = ']') => open.repeat(depth) + close.repeat(depth)

t.test('more lists, objects and keys than any object has', async t => {
  t.notOk(overladen(''))
  t.notOk(overladen(list(mostNodes - 1, '{}')))
  t.ok(overladen(list(mostNodes, '{}')))
  t.ok(overladen(list(mostNodes, '[]')))
  t.notOk(overladen(`{${Array.from({ length: mostNodes - 1 }).fill('"a":1').join()}}`))
  t.ok(overladen(`{${Array.from({ length: mostNodes }).fill('"a":1').join()}}`))
  t.notOk(overladen(nested(mostDepth)))
  t.ok(overladen(nested(mostDepth + 1)))
  t.ok(overladen(nested(mostDepth + 1, '{"":', '}')))
  t.notOk(overladen(list(3, nested(mostDepth - 1))), 'side by side is not deep')
})

t.test('what stands in a text does not count', async t => {
  const brackets = '[{:'.repeat(mostNodes)
  t.notOk(overladen(JSON.stringify(brackets)))
  t.notOk(overladen(JSON.stringify({ a: `"${brackets}`, b: `\\"${brackets}\\` })))
  t.ok(overladen(`"\\\\"${nested(mostDepth + 1)}`), 'behind an escaped backslash the text has ended')
  t.ok(overladen(`"a\\"b"${nested(mostDepth + 1)}`))
  t.notOk(overladen(`"a\\"${nested(mostDepth + 1)}`), 'a text without an end')
  t.notOk(overladen(`"${nested(mostDepth + 1)}`))
})

t.test('JSON, or a refusal', async t => {
  t.strictSame(parseBody(Buffer.from('{"a": [1]}')), { a: [1] })
  t.throws(() => parseBody(Buffer.alloc(0)), { statusCode: 400, message: 'the body is empty' })
  t.throws(() => parseBody(Buffer.from('{')), { statusCode: 400, message: 'the body is not JSON' })
  t.throws(() => parseBody(Buffer.from(list(mostNodes, '{}'))), { name: 'BodyRefused', statusCode: 413 })
})
