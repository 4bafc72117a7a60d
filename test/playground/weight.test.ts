import { gzipSync } from 'node:zlib'
import t from 'tap'
import { buildPage } from '../../.config/playground-page.ts'

/** Kilobytes of everything that a browser ever loads, compressed: fonts and editor included. docs/playground.md states it. */
const heaviest = 300

t.test('the page', async t => {
  const files = await buildPage()
  const weights = [...files].map(([name, content]) => ({ name, kilobytes: gzipSync(content, { level: 9 }).length / 1000 }))
  for (const { name, kilobytes } of weights) t.comment(`${kilobytes.toFixed(1).padStart(6)} kB  ${name}`)
  const sum = weights.reduce((all, { kilobytes }) => all + kilobytes, 0)
  t.ok(sum < heaviest, `${sum.toFixed(0)} kB compressed`)

  const scripts = [...files].filter(([name]) => name.endsWith('.js'))
  t.ok(scripts.length >= 4, 'in parts: the editor and the second tab are loaded on their own')
  t.ok((gzipSync(scripts.find(([name]) => name.startsWith('main-'))?.[1] ?? '').length) < 10_000, 'the first part is small')
  for (const [name] of files) t.match(name, /^index\.html$|-[A-Z0-9]{8}\.\w+$/, 'a hash of the content')
  for (const [name, content] of files) if (/\.(js|css|html)$/.test(name)) t.notMatch(content.toString(), /(src|href)="https?:|import\("https?:|url\(["']?https?:/, `${name} loads nothing from elsewhere`)
  const again = await buildPage()
  t.strictSame([...again.keys()], [...files.keys()], 'the same sources give the same names')
})
