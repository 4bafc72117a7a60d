import { SourceMap } from 'node:module'
import { build } from 'esbuild'
import t from 'tap'
import { sourcePosition } from '../../.config/source-position.ts'

t.test('the same place as the SourceMap of Node, for each position in the code', async t => {
  const { outputFiles } = await build({
    entryPoints: ['src/rules/judge.ts'], bundle: true, platform: 'node', format: 'esm', minifyWhitespace: true, lineLimit: 160, sourcemap: 'external', write: false, outdir: 'out',
  })
  const [map = '', code = ''] = ['.map', '.js'].map(end => outputFiles.find(({ path }) => path.endsWith(end))?.text)
  const payload = JSON.parse(map) as ConstructorParameters<typeof SourceMap>[0]
  const node = new SourceMap(payload)
  const lines = code.split('\n')
  let compared = 0
  for (const [index, text] of lines.entries()) {
    if (index % 40 > 0) continue
    for (let column = 1; column <= text.length; column += 29) {
      const entry = node.findEntry(index, column - 1)
      const expected = 'originalSource' in entry && entry.originalSource ? `${entry.originalSource}:${entry.originalLine + 1}:${entry.originalColumn + 1}` : undefined
      const found = sourcePosition(payload, index + 1, column)
      if (found !== expected) t.equal(found, expected, `${index + 1}:${column}`)
      compared++
    }
  }
  t.ok(compared > 100, `${compared} positions`)
  t.equal(sourcePosition({ sources: ['a.ts'], mappings: ';;A' }, 3, 1), undefined, 'code of no source')
  t.equal(sourcePosition({ sources: [], mappings: '' }, 1, 1), undefined)
})
