import { glob, readFile } from 'node:fs/promises'
import { basename, dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

// The drawing in docs/reconcile.md has every file of the loop, and an arrow wherever one part of it calls another: no more, no fewer.

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = async (path: string) => await readFile(join(root, path), 'utf8')

t.test('the diagram of the loop matches the imports', async t => {
  const drawing = /```mermaid\n([\s\S]*?)```/.exec(await read('docs/reconcile.md'))?.[1] ?? ''
  const nodes = [...drawing.matchAll(/^ +(\w+)\["(?:<b>)?\w+(?:<\/b>)?<br\/>([^"]+)"\]$/gm)]
  const partOf = new Map(nodes.flatMap(([, part = '', files = '']) => files.split(/, |<br\/>/).map(file => [file, part] as const)))
  const files: string[] = []
  for await (const file of glob('src/controller/**/*.ts', { cwd: root })) files.push(file)
  const nameOf = (path: string) => dirname(path).endsWith('plan') ? 'plan/*' : basename(path, '.ts')
  t.strictSame([...new Set(files.map(nameOf))].sort(), [...partOf.keys()].sort(), 'every file is in one part')

  const arrows = new Set<string>()
  for (const file of files) {
    for (const [, names = '', from = ''] of (await read(file)).matchAll(/^import ([^;]*?) from '(\.[^']+)'$/gm)) {
      // Types alone are no call.
      if (names.startsWith('type ') || /^\{( ?type \w+,?)+ ?\}$/.test(names)) continue
      const [user, used] = [nameOf(file), nameOf(normalize(join(dirname(file), from)))].map(name => partOf.get(name))
      if (normalize(join(dirname(file), from)).startsWith('src/controller') && user !== used) arrows.add(`${user} --> ${used}`)
    }
  }
  t.strictSame([...drawing.matchAll(/^ +(\w+ --> \w+)$/gm)].map(([, arrow]) => arrow).sort(), [...arrows].sort())
})
