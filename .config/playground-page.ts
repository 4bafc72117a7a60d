import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Metafile } from 'esbuild'

/** Where the program looks for the page, next to itself: see src/playground/page-files.ts. */
export const pageFolder = 'playground'

const root = fileURLToPath(new URL('..', import.meta.url))
const sources = join(root, 'src', 'playground', 'page')

/** The page with everything that it loads, by name; each name but that of `index.html` contains a hash of the content. */
export async function buildPage (onMetafile: (metafile: Metafile) => void = () => {}): Promise<ReadonlyMap<string, Buffer>> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: [join(sources, 'main.ts'), join(sources, 'page.css')],
    outdir: 'assets',
    bundle: true,
    splitting: true,
    format: 'esm',
    target: ['chrome120', 'firefox121', 'safari17.2'],
    minify: true,
    entryNames: '[name]-[hash]',
    chunkNames: 'chunk-[hash]',
    assetNames: '[name]-[hash]',
    loader: { '.yaml': 'text', '.woff2': 'file', '.svg': 'file' },
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
    write: false,
  })
  onMetafile(metafile)
  const files = new Map(outputFiles.map(({ path, contents }) => [basename(path), Buffer.from(contents)]))
  const named = (pattern: RegExp) => [...files.keys()].find(name => pattern.test(name)) ?? ''
  const html = (await readFile(join(sources, 'index.html'), 'utf8'))
    .replace('main.js', named(/^main-.*\.js$/)).replace('page.css', named(/^page-.*\.css$/))
    .replace('icon.svg', named(/^icon-.*\.svg$/))
  return files.set('index.html', Buffer.from(html))
}

/** Writes the page into a folder, and nothing else stays there. Resolves with what it consists of. */
export async function writePage (folder: string): Promise<Metafile> {
  let found: Metafile | undefined
  const files = await buildPage(metafile => { found = metafile })
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  for (const [name, content] of files) await writeFile(join(folder, name), content)
  if (!found) throw new Error('esbuild has described nothing')
  return found
}
