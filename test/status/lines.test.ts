import t from 'tap'
import { frameOf, paint } from '../../src/command-line/paint.ts'
import { ageOf } from '../../src/status/age.ts'
import { linesOf, linesOfAll } from '../../src/status/lines.ts'
import { serverTree } from '../../src/status/server-tree.ts'
import { condition, except, facts, healthy, now, statusOf } from './scene.ts'

const noColours = { colours: false }

t.test('ages as in kubectl', async t => {
  const ages: readonly [seconds: number, text: string][] = [
    [-1, '0s'], [0, '0s'], [119, '119s'], [120, '2m'], [125, '2m5s'], [605, '10m'], [7199, '119m'], [7200, '2h'], [9000, '2h30m'], [180_000, '2d2h'], [900_000, '10d'],
  ]
  for (const [seconds, text] of ages) t.equal(ageOf(seconds * 1000), text)
})

t.test('the text of a server', async t => {
  const status = statusOf(except(condition('Available', 'False', 'ErrImagePull', { message: 'pod demo-0: no image.' })), { nfsEndpoint: 'demo-file:12049' })
  const text = linesOf(serverTree(facts({ status })), now).map(line => paint(line, noColours))
  t.equal(text[0], '✗ DittoServer files/demo  Running, generation 1, 10m, demo-file:12049')
  t.equal(text[1], '  ✗ Available: ErrImagePull: pod demo-0: no image.')
  t.match(text[2], /^ {2}start: ✓ configuration {2}… StatefulSet {2}· volumes/)
  t.match(text[3], /^ {2}├─ … StatefulSet demo +does not exist$/)
  const columns = text.slice(3).flatMap(line => / (does not exist|True, .*)$/.exec(line)?.index ?? [])
  t.ok(columns.length > 6)
  t.equal(new Set(columns).size, 1, 'all details are in one column')
  t.match(text.at(-1), /^ {5}└─ ✗ Available +False, ErrImagePull, for 60s$/)
})

t.test('no server, and several', async t => {
  const tree = serverTree(facts({ status: statusOf(healthy) }))
  t.strictSame(linesOfAll([], now, 'none').map(line => paint(line, noColours)), ['none'])
  const two = linesOfAll([tree, tree], now, 'none').map(line => paint(line, noColours))
  t.equal(two.filter(line => line.startsWith('✓ DittoServer')).length, 2)
  t.equal(two.filter(line => line === '').length, 1)
})

t.test('text of the cluster cannot control the terminal', async t => {
  t.equal(paint([['wrong', 'a\x1b[2Jb\u202e']], noColours), 'a\\u{1b}[2Jb\\u{202e}')
})

t.test('colours, and lines that are cut before they are coloured', async t => {
  t.equal(paint([['ok', '✓ '], ['plain', 'demo']], { colours: true }), '\x1b[32m✓ \x1b[0mdemo')
  t.equal(paint([['ok', '✓ '], ['wrong', 'demonstration']], { colours: true }, 8), '\x1b[32m✓ \x1b[0m\x1b[31mdemon…\x1b[0m')
  t.equal(paint([['plain', 'demo'], ['plain', 'more']], noColours, 4), 'demo')
})

t.test('a frame overwrites the one before, without clearing the screen first', async t => {
  const lines = Array.from({ length: 5 }, (_, index) => [['plain', `line ${index}`]] as const)
  t.equal(frameOf(lines.slice(0, 2), noColours, 80, 10), '\x1b[Hline 0\x1b[K\nline 1\x1b[K\x1b[J')
  const cut = frameOf(lines, noColours, 80, 3).split('\n')
  t.equal(cut.length, 3)
  t.match(cut[2], /^3 more lines/)
})
