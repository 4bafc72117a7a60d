import { cp, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { build, type BuildOptions, type Metafile, type Plugin } from 'esbuild'
import { bundledPackages, type BundledPackage } from './bundled-packages.ts'
import { compiledValidators } from './compiled-validators.ts'
import { withFileMap } from './file-map.ts'
import { pageFolder, writePage } from './playground-page.ts'
import { sbom } from './sbom.ts'
import { thirdPartyLicenses } from './third-party-licenses.ts'

/** Files that are written next to the bundle: the licences of its packages, and its SBOM. */
export const companions = { licenses: 'THIRD-PARTY-LICENSES', sbom: 'sbom.cdx.json' } as const

/** The oldest Node that the bundle runs on; the job `command` of the workflow `ci` runs it there. */
export const leastNode = '20.19.0'

/** The source map contains no lines of dependencies. */
const filesOfDependencies: Plugin = {
  name: 'files-of-dependencies',
  setup ({ onLoad }) {
    onLoad({ filter: /node_modules.*\.[cm]?js$/ }, async ({ path }) => {
      const code = (await readFile(path, 'utf8')).replaceAll('sourceMappingURL=', '')
      return { contents: withFileMap(code, basename(path)), loader: 'default' }
    })
  },
}

/**
 * Loads Node's own modules with require. An import would evaluate all their exports, also those that are created on first use:
 * `node:http` would load a second HTTP client for its WebSocket.
 */
const requiredBuiltins: Plugin = {
  name: 'required-builtins',
  setup ({ onResolve, onLoad }) {
    const namespace = 'required-builtins'
    onResolve({ filter: /^[a-z:_/]+$/ }, ({ path, kind }) => isBuiltin(path) && kind === 'import-statement' ? { path, namespace } : undefined)
    onLoad({ filter: /.*/, namespace }, ({ path }) => ({ contents: `module.exports = require('${path}')` }))
  },
}

/**
 * Leaves out parts of client-node that are never called here and would take 30 MB of memory. The operator uses it for the kubeconfig and
 * its credentials (`applyToHTTPSOptions`), not for API classes or a dispatcher of undici.
 */
const unusedOfClientNode: Plugin = {
  name: 'unused-of-client-node',
  setup ({ onResolve, onLoad }) {
    onResolve({ filter: /^(undici|\.\/gen\/index\.js)$/ }, ({ path, importer }) =>
      /client-node\/dist\/config\.js$/.test(importer) ? { path, namespace: 'unused-of-client-node' } : undefined)
    onLoad({ filter: /.*/, namespace: 'unused-of-client-node' }, ({ path }) => ({
      contents: `const unused = class { constructor () { throw new Error('not in the bundle: ${path} of @kubernetes/client-node') } }\n` +
        'export { unused as Agent, unused as ProxyAgent, unused as ServerConfiguration, unused as createConfiguration }',
    }))
  },
}

/** The sandbox, beside the bundle. */
const sandboxFile = './sandbox/index.mjs'

/** The bundle does not contain the sandbox, and finds it beside itself. */
const sandboxApart: Plugin = {
  name: 'sandbox-apart',
  setup ({ onResolve }) {
    onResolve({ filter: /\/sandbox\/index\.ts$/ }, ({ kind }) => kind === 'dynamic-import' ? { path: sandboxFile, external: true } : undefined)
  },
}

const formats = {
  esm: {
    // Some CommonJS dependencies call require for Node's own modules, and an ES module has no require.
    banner: { js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);' },
    // Stack traces show files and lines of src: see stack-traces.ts.
    sourcemap: 'external',
    inject: ['.config/older-node.ts', '.config/stack-traces.ts'],
  },
  // For a single executable. It cannot start an ES module, and it has no separate file for a source map.
  cjs: { sourcemap: false, inject: ['.config/older-node.ts'], logOverride: { 'empty-import-meta': 'silent' } },
} as const

/** In the root of the project. */
async function bundled (entryPoint: string, outfile: string, format: BuildOptions): Promise<Metafile> {
  const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string }
  const { metafile } = await build({
    entryPoints: [entryPoint],
    outfile,
    bundle: true,
    platform: 'node',
    target: `node${leastNode}`,
    define: { BUNDLED_VERSION: JSON.stringify(version) },
    // The running program keeps its source text in memory. A single non-ASCII character doubles its size, and comments contain some.
    // Names are kept and lines are short, because Node prints the whole source line of an uncaught error.
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 160,
    sourcesContent: false,
    plugins: [sandboxApart, requiredBuiltins, unusedOfClientNode, compiledValidators, filesOfDependencies],
    // The licence texts are complete in THIRD-PARTY-LICENSES.
    legalComments: 'none',
    logLevel: 'warning',
    ...format,
    metafile: true,
  })
  // esbuild does not report an error if a dependency only tries to load a missing package.
  const missing = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path))
    .filter(path => !isBuiltin(path) && path !== sandboxFile)
  if (missing.length > 0) throw new Error(`not in the bundle: ${missing.join(', ')}`)
  return metafile
}

/** One file that runs on its own, without node_modules. Must run in the root of the project. */
export async function bundle (outfile: string, format: keyof typeof formats = 'esm'): Promise<Metafile> {
  const { inject, ...rest } = formats[format]
  return await bundled('src/main.ts', outfile, { format, ...rest, inject: [...inject] })
}

/** Files that the sandbox runs: it expects them beside itself. */
const sandboxScripts = ['test/node/sandbox.sh', 'test/control-plane/build.sh', 'test/control-plane/etcd', 'test/control-plane/kubernetes']

/** Writes the licences and the SBOM of bundles into their folder. Resolves with the packages. */
async function writeCompanions (folder: string, ...metafiles: readonly Metafile[]): Promise<readonly BundledPackage[]> {
  const merged = (part: 'inputs' | 'outputs') => Object.assign({}, ...metafiles.map(metafile => metafile[part])) as object
  const packages = await bundledPackages({ inputs: merged('inputs'), outputs: merged('outputs') } as Metafile)
  await writeFile(join(folder, companions.licenses), await thirdPartyLicenses(packages))
  await writeFile(join(folder, companions.sbom), await sbom(packages))
  return packages
}

/** Writes the bundle, and next to it the page of the playground, and the licences and the SBOM of both. Resolves with the packages. */
export async function bundleWithCompanions (outfile: string): Promise<readonly BundledPackage[]> {
  const folder = dirname(outfile)
  return await writeCompanions(folder, await bundle(outfile), await writePage(join(folder, pageFolder)))
}

/** Writes the command `sandbox` into the folder `sandbox` beside a bundle, in the same way. Resolves with the name of the folder. */
export async function bundleSandbox (beside: string): Promise<string> {
  const { banner, inject: [olderNode] } = formats.esm
  const outfile = join(beside, sandboxFile)
  const folder = dirname(outfile)
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  await writeCompanions(folder, await bundled('sandbox/index.ts', outfile, { format: 'esm', banner, inject: [olderNode] }))
  for (const script of sandboxScripts) await cp(script, join(folder, basename(script)), { recursive: true })
  return basename(folder)
}

// usage: node .config/bundle.ts [file]
if (import.meta.main) {
  const [outfile = 'dist/dittofs-operator.mjs'] = process.argv.slice(2)
  const packages = await bundleWithCompanions(outfile)
  const { size } = await stat(outfile)
  process.stdout.write(`${outfile} ${(size / 1e6).toFixed(1)} MB, of ${packages.length} packages: ${Object.values(companions).join(', ')}, ${pageFolder}/\n`)
}
