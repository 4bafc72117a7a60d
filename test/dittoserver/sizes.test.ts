import fc from 'fast-check'
import t from 'tap'
import { parseByteSize } from '../../src/dittoserver/byte-size.ts'
import { parseGoDuration } from '../../src/dittoserver/go-duration.ts'
import { compareQuantities, parseQuantity, volumeBytes } from '../../src/dittoserver/quantity.ts'

t.test('quantities', async t => {
  const equal = [
    ['1', '1000m'], ['1k', '1000'], ['1Ki', '1024'], ['0.5', '500m'], ['.5', '5e-1'], ['1.', '1'], ['+1', '1'], ['1E', '1e18'],
    ['1E3', '1k'], ['1Gi', '1024Mi'], ['1n', '1e-9'], ['0', '-0'], ['0Gi', '0'], ['1.5Gi', '1536Mi'], ['100u', '0.1m'],
  ]
  for (const [a = '', b = ''] of equal) t.equal(compareQuantities(a, b), 0, `${a} = ${b}`)
  const ascending = ['-1', '-1m', '0', '1n', '1u', '1m', '1', '1k', '1Ki', '1M', '1Mi', '1G', '1Gi', '1T', '1Ti', '1P', '1Pi', '1E', '1Ei']
  for (const [index, text] of ascending.slice(1).entries()) t.equal(compareQuantities(ascending[index] ?? '', text), -1, `${ascending[index]} < ${text}`)
  for (const text of ['', ' ', 'Gi', '1 Gi', '1gi', '1Kb', '--1', '1e', '1e1.5', '0x10', '1_000', '१', '1\n', 'NaN', 'Infinity', '1mi', '1eGi']) {
    t.equal(parseQuantity(text), undefined, JSON.stringify(text))
    t.equal(compareQuantities(text, '1'), undefined)
    t.equal(compareQuantities('1', text), undefined)
  }
})

t.test('an extreme quantity is parsed as fast as any other', async t => {
  const started = performance.now()
  t.equal(compareQuantities('1e999999999', '1'), 1)
  t.equal(compareQuantities('1e-999999999', '1'), -1)
  t.equal(compareQuantities(`0.${'1'.repeat(100_000)}`, '1'), -1)
  t.equal(compareQuantities(`0.${'1'.repeat(100)}Ki`, '1Ki'), -1)
  t.equal(compareQuantities(`0.${'1'.repeat(30)}e-30`, '0'), 1)
  t.ok(performance.now() - started < 1_000)
})

t.test('comparison of quantities', async t => {
  const suffixes: [text: string, ten: bigint, two: bigint][] = [
    ['', 0n, 0n], ['k', 3n, 0n], ['M', 6n, 0n], ['Ki', 0n, 10n], ['Gi', 0n, 30n], ['e2', 2n, 0n],
  ]
  const quantity = fc.record({ whole: fc.nat(1_000_000), suffix: fc.constantFrom(...suffixes) })
  const exact = ({ whole, suffix: [, ten, two] }: { whole: number, suffix: typeof suffixes[number] }) => BigInt(whole) * 10n ** ten << two
  fc.assert(fc.property(quantity, quantity, (a, b) => {
    const [left, right] = [exact(a), exact(b)]
    return compareQuantities(`${a.whole}${a.suffix[0]}`, `${b.whole}${b.suffix[0]}`) === (left < right ? -1 : left > right ? 1 : 0)
  }), { numRuns: 2_000 })
  t.pass('2,000 pairs')
})

t.test('volume sizes in bytes', async t => {
  t.equal(volumeBytes('1Mi'), 2 ** 20)
  t.equal(volumeBytes('5Gi'), 5 * 2 ** 30)
  t.equal(volumeBytes('2Ti'), 2 * 2 ** 40)
  t.equal(volumeBytes('0Gi'), 0)
  t.ok(Number.isNaN(volumeBytes('5')), 'what is none compares with nothing')
})

t.test('byte sizes as the server reads them', async t => {
  const sizes: [string, number][] = [
    ['0', 0], ['1', 1], ['1b', 1], ['1B', 1], ['1k', 1e3], ['1KB', 1e3], ['1kb', 1e3], ['1KiB', 1024], ['1Ki', 1024], ['1GB', 1e9],
    ['1GiB', 2 ** 30], ['1 GiB', 2 ** 30], ['1.5GiB', 1.5 * 2 ** 30], ['2TB', 2e12], ['2ti', 2 ** 41],
  ]
  for (const [text, bytes] of sizes) t.equal(parseByteSize(text), bytes, text)
  for (const text of ['', 'GB', '-1GB', '1  GB', '1iB', '1i', '1PB', '1.GB', '.5GB', '1,5GB', '1GBs', '1e3', ' 1GB']) t.equal(parseByteSize(text), undefined, JSON.stringify(text))
})

t.test('Go durations in milliseconds', async t => {
  const durations: [string, number][] = [
    ['15m', 900_000], ['1h30m', 5_400_000], ['168h', 604_800_000], ['1.5s', 1500], ['.5s', 500], ['1s500ms', 1500], ['0s', 0],
    ['100us', 0.1], ['100µs', 0.1], ['100μs', 0.1], ['1ns', 1e-6], ['2562047h', 2562047 * 3_600_000], ['1m1m', 120_000],
  ]
  for (const [text, milliseconds] of durations) t.equal(parseGoDuration(text), milliseconds, text)
  for (const text of ['', '1', '1d', '1w', '-1s', '+1s', '1 s', 's', '1h 30m', '1S', '2562048h', '99999999999999h', '1.2.3s']) {
    t.equal(parseGoDuration(text), undefined, JSON.stringify(text))
  }
})
