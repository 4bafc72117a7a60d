import { readFile } from 'node:fs/promises'
import { build } from 'esbuild'

/** One file that runs by itself: the image carries no node_modules. usage: node .config/bundle.ts [file] */
const [outfile = 'dist/dittofs-operator.mjs'] = process.argv.slice(2)
const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string }

await build({
  entryPoints: ['src/main.ts'],
  outfile,
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  define: { BUNDLED_VERSION: JSON.stringify(version) },
  // CommonJS packages among the dependencies call require for Node's own modules, which an ES module lacks.
  banner: { js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);' },
  legalComments: 'none',
  logLevel: 'warning',
})
