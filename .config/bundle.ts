import { readFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { basename } from 'node:path'
import { build, type Plugin } from 'esbuild'

/** One file that runs by itself: the image carries no node_modules. usage: node .config/bundle.ts [file] */
const [outfile = 'dist/dittofs-operator.mjs'] = process.argv.slice(2)
const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string }

/** Of dependencies the source map knows the file and no lines: those would take the running program 80 MB more. */
const filesOfDependencies: Plugin = {
  name: 'files-of-dependencies',
  setup ({ onLoad }) {
    onLoad({ filter: /node_modules.*\.[cm]?js$/ }, async ({ path }) => {
      const map = Buffer.from(JSON.stringify({ version: 3, sources: [basename(path)], mappings: 'AAAA' })).toString('base64')
      const code = (await readFile(path, 'utf8')).replaceAll('sourceMappingURL=', '')
      return { contents: `${code}\n//# sourceMappingURL=data:application/json;base64,${map}\n`, loader: 'default' }
    })
  },
}

const { metafile } = await build({
  entryPoints: ['src/main.ts'],
  outfile,
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  define: { BUNDLED_VERSION: JSON.stringify(version) },
  // CommonJS packages among the dependencies call require for Node's own modules, which an ES module lacks.
  banner: { js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);' },
  // Stack traces name files and lines of src. Not minified: of what nobody catches Node prints the whole line.
  sourcemap: 'linked',
  sourcesContent: false,
  plugins: [filesOfDependencies],
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
})

// A package that is missing where a dependency only tries to load it is no error to esbuild.
const missing = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path)).filter(path => !isBuiltin(path))
if (missing.length > 0) throw new Error(`not in the bundle: ${missing.join(', ')}`)
for (const [file, { bytes }] of Object.entries(metafile.outputs)) process.stdout.write(`${file} ${(bytes / 1e6).toFixed(1)} MB\n`)
