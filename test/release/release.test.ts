import { copyFile, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Ajv } from 'ajv'
import type { Metafile } from 'esbuild'
import t from 'tap'
import { parse, parseAllDocuments } from 'yaml'
import { bundle } from '../../.config/bundle.ts'
import { packageFolder } from '../../.config/bundled-packages.ts'
import { writePage } from '../../.config/playground-page.ts'
import { repository as ownRepository } from '../../src/project.ts'
import { version } from '../../src/version.ts'
import { samples } from '../command-line/program.ts'
import { findHelm, noHelm } from '../manifests/helm.ts'
import { said } from './said.ts'

// The artifacts of `npm run release`, unpacked and used.

const root = fileURLToPath(new URL('../..', import.meta.url))
const image = 'registry.example.com/files/dittofs-operator'
const source = 'https://code.example.com/files/dittofs-operator'
const digest = `sha256:${'0123456789abcdef'.repeat(4)}`
/** tap adds options for Node to the environment of every child. */
const environment = { PATH: process.env.PATH, HOME: process.env.HOME, NODE_OPTIONS: '' }
const inFolder = async (cwd: string, program: string, args: readonly string[], env: object = {}) =>
  await said(program, args, { cwd, env: { ...environment, ...env } })

const release = async (...args: readonly string[]) => await inFolder(root, process.execPath, ['release/index.ts', ...args])

await t.test('a release', async t => {
  const folder = t.testdir({})
  const [first, second] = [join(folder, 'first'), join(folder, 'second')]
  const args = ['--dry-run', '--quick', '--tag', `v${version}`, '--image', image, '--digest', digest, '--repository', source, '--out']
  t.match(await release(...args, first), { code: 0, stderr: '' })
  const read = async (file: string) => await readFile(join(first, file), 'utf8')
  const tarball = join(first, `dittofs-operator-${version}.tgz`)
  const unpack = async (archive: string, name: string) => {
    const into = join(folder, name)
    await mkdir(into)
    await inFolder(folder, 'tar', ['-xzf', archive, '-C', into])
    return into
  }

  await t.test('a second build has the same bytes', async t => {
    t.match(await release(...args, second), { code: 0 })
    const sums = await read('SHA256SUMS')
    t.equal(await readFile(join(second, 'SHA256SUMS'), 'utf8'), sums)
    t.strictSame(sums.trim().split('\n').map(line => line.split('  ')[1]).sort(), (await readdir(first)).filter(file => file !== 'SHA256SUMS').sort())
    t.match(await inFolder(first, 'sha256sum', ['--check', 'SHA256SUMS']), { code: 0 })
  })

  await t.test('install.yaml is manifests/default with the image of the release', async t => {
    const files = (parse(await readFile(join(root, 'manifests/default/kustomization.yaml'), 'utf8')) as { resources: string[] }).resources
    const objects = (text: string) => parseAllDocuments(text).map(document => document.toJS() as unknown)
    const expected = (await Promise.all(files.map(async file => objects(await readFile(join(root, 'manifests/default', file), 'utf8'))))).flat()
    const named = JSON.parse(JSON.stringify(expected).replace(`"dittofs-operator:${version}"`, `"${image}:${version}@${digest}"`)) as unknown
    t.notSame(named, expected)
    interface Named { readonly kind: string, readonly metadata: { readonly name: string, readonly namespace?: string } }
    const key = (object: unknown) => {
      const { kind, metadata: { name, namespace } } = object as Named
      return `${kind} ${namespace}/${name}`
    }
    const sorted = (list: unknown) => (list as unknown[]).toSorted((a, b) => key(a).localeCompare(key(b)))
    t.strictSame(sorted(objects(await read('install.yaml'))), sorted(named))
  })

  await t.test('the chart has the image of the release', async t => {
    const chart = join(await unpack(join(first, `dittofs-operator-chart-${version}.tgz`), 'chart'), 'dittofs-operator')
    const committed = join(root, 'manifests/chart')
    const values = parse(await readFile(join(chart, 'values.yaml'), 'utf8')) as { image: object }
    t.match(values.image, { registry: 'registry.example.com', repository: 'files/dittofs-operator', tag: '', digest })
    const helm = await findHelm()
    if (helm === undefined) t.comment(noHelm)
    else t.match(await inFolder(folder, helm, ['template', 'x', chart, '--kube-version', '1.36.0']), { code: 0, stdout: new RegExp(`image: ["']?${image}:${version}@${digest}["']?\\n`) })
    const { image: _, ...others } = values
    const { image: __, ...expected } = parse(await readFile(join(committed, 'values.yaml'), 'utf8')) as { image: object }
    t.strictSame(others, expected)
    const files = async (of: string) => (await readdir(of, { recursive: true })).sort()
    t.strictSame(await files(chart), await files(committed))
    const template = join('templates', 'deployment.yaml')
    t.equal(await readFile(join(chart, template), 'utf8'), await readFile(join(committed, template), 'utf8'))
    const alerts = await readFile(join(chart, 'templates', 'monitoring.yaml'), 'utf8')
    t.ok(alerts.includes(`runbook_url: ${source}/blob/v${version}/docs/alerts.md#dittofsoperatordown\n`), 'the runbooks are where the release is from')
    t.notOk(alerts.includes(ownRepository))
  })

  await t.test('the npm package contains only what users need', async t => {
    const unpacked = join(await unpack(tarball, 'npm'), 'package')
    t.strictSame((await readdir(unpacked)).sort(), ['LICENSE', 'README.md', 'THIRD-PARTY-LICENSES', 'dittofs-operator.mjs', 'package.json', 'playground', 'sandbox', 'sbom.cdx.json'])
    t.ok((await readdir(join(unpacked, 'playground'))).includes('index.html'))
    t.strictSame((await readdir(join(unpacked, 'sandbox'))).sort(), ['THIRD-PARTY-LICENSES', 'build.sh', 'etcd', 'index.mjs', 'kubernetes', 'sandbox.sh', 'sbom.cdx.json'])
    const manifest = JSON.parse(await readFile(join(unpacked, 'package.json'), 'utf8')) as object
    t.match(manifest, { name: 'dittofs-operator', version, bin: { 'dittofs-operator': 'dittofs-operator.mjs' } })
    for (const field of ['dependencies', 'devDependencies', 'scripts', 'private']) t.notOk(field in manifest, field)
  })

  await t.test('the npm package in an empty folder, on the Node of this machine', async t => {
    // Not below this project: npm looks for a package.json in the folders above.
    const cwd = await mkdtemp(join(tmpdir(), 'empty-'))
    t.teardown(async () => { await rm(cwd, { recursive: true, force: true }) })
    await copyFile(join(samples, 'minimal.yaml'), join(cwd, 'minimal.yaml'))
    // Without the folders of this project, whose Node would come first.
    const PATH = (process.env.PATH ?? '').split(':').filter(path => !path.startsWith(root)).join(':')
    const node = (await inFolder(cwd, 'node', ['--version'], { PATH })).stdout.trim()
    const npx = ['--yes', '--offline', '--package', tarball, 'dittofs-operator', 'check', '-f', '.']
    t.match(await inFolder(cwd, 'npx', npx, { PATH }), { code: 0, stdout: /^# minimal\.yaml\ndittoserver\.dittofs\.dittofs\.com\/dittofs-minimal allowed\n$/ }, `npx, Node ${node}`)
    t.strictSame(await readdir(cwd), ['minimal.yaml'], 'nothing is left behind')

    t.match(await inFolder(cwd, 'npm', ['install', '--offline', '--engine-strict', '--no-audit', '--no-fund', tarball], { PATH }), { code: 0 })
    const installed = async (...args: readonly string[]) => await inFolder(cwd, join(cwd, 'node_modules/.bin/dittofs-operator'), args, { PATH })
    t.match(await installed('--version'), { code: 0, stdout: `${version}\n` })
    t.match(await installed('render', '-f', 'minimal.yaml'), { code: 0, stdout: /^kind: StatefulSet$/m })
    t.match(await installed('doctor', '--kubeconfig', 'nowhere'), { code: 2, stderr: /^dittofs-operator: --kubeconfig nowhere: ENOENT/ })
    await writeFile(join(cwd, 'kubeconfig'), JSON.stringify({
      'current-context': 'a',
      clusters: [{ name: 'a', cluster: { server: 'https://127.0.0.1:1' } }],
      users: [{ name: 'a', user: {} }],
      contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
    }))
    t.match(await installed('doctor', '--kubeconfig', 'kubeconfig'), { code: 3, stdout: /the API server is unreachable[^]*\d+ things could not be checked\.\n$/ })
  })

  await t.test('the SBOM lists the contents of the bundle', async t => {
    const foldersIn = ({ outputs }: Metafile) => Object.values(outputs).flatMap(({ inputs }) => Object.entries(inputs))
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => packageFolder(path)).filter(path => path !== undefined)
    const page = new Set(foldersIn(await writePage(join(folder, 'page'))))
    const folders = new Set([...foldersIn(await bundle(join(folder, 'again.mjs'))), ...page])
    const expected = await Promise.all([...folders].map(async path => {
      const { name, version, license } = JSON.parse(await readFile(join(root, path, 'package.json'), 'utf8')) as Record<'name' | 'version' | 'license', string>
      return { name, version, license }
    }))
    interface License { readonly license?: { readonly id?: string, readonly name?: string }, readonly expression?: string }
    interface Component {
      readonly name: string
      readonly group?: string
      readonly version: string
      readonly purl: string
      readonly licenses: readonly License[]
    }
    interface Bom { readonly components: readonly Component[], readonly dependencies: readonly { ref: string, dependsOn?: string[] }[] }
    const bom = JSON.parse(await read('sbom.cdx.json')) as Bom
    const listed = bom.components.map(({ name, group, version, licenses: [found] }) => ({
      name: group === undefined ? name : `${group}/${name}`, version, license: found?.license?.id ?? found?.license?.name ?? found?.expression ?? '',
    }))
    const lines = (list: typeof expected) => [...new Set(list.map(({ name, version, license }) => `${name} ${version} ${license}`))].sort()
    t.ok(lines(expected).length > 80)
    t.strictSame(lines(listed), lines(expected))
    for (const { purl, version } of bom.components) t.match(purl, new RegExp(`^pkg:npm/(%40[a-z0-9-]+/)?[a-z0-9.-]+@${version.replaceAll('.', '\\.')}$`))
    const [own] = bom.dependencies.filter(({ ref }) => ref.startsWith('pkg:npm/dittofs-operator@'))
    const { dependencies, devDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Record<string, Record<string, string>>
    // The page of the playground is built, so the program does not load its packages.
    const isNamed = (name: string) => name in (dependencies ?? {}) || (page.has(`node_modules/${name}`) && name in (devDependencies ?? {}))
    const direct = (own?.dependsOn ?? []).map(ref => decodeURIComponent(/^pkg:npm\/(.*)@/.exec(ref)?.[1] ?? ''))
    t.strictSame(direct.filter(name => !isNamed(name)), [], 'what the sources load is what package.json names')
    t.ok(direct.includes('fastify') && direct.includes('@kubernetes/client-node'))

    const text = await read('THIRD-PARTY-LICENSES')
    for (const line of lines(expected)) {
      const [name, version, ...license] = line.split(' ')
      t.ok(text.includes(`\n${name} ${version}\nLicence: ${license.join(' ')}\n`), line)
    }
    t.match(text, /Permission is hereby granted, free of charge/)
  })

  await t.test('the SBOM is CycloneDX', async t => {
    const schemas = join(root, 'node_modules/@cyclonedx/cyclonedx-library/res/schema')
    const schema = async (name: string) => JSON.parse(await readFile(join(schemas, name), 'utf8')) as object
    const ajv = new Ajv({ strict: false, validateFormats: false })
    for (const name of ['spdx', 'jsf-0.82', 'cryptography-defs']) {
      ajv.addSchema(await schema(`${name}.SNAPSHOT.schema.json`), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`)
    }
    const isValid = ajv.compile(await schema('bom-1.6.SNAPSHOT.schema.json'))
    t.ok(isValid(JSON.parse(await read('sbom.cdx.json'))), ajv.errorsText(isValid.errors))
    t.notOk(isValid({ bomFormat: 'CycloneDX', specVersion: '1.6', components: [{ name: 'a' }] }), 'the schema finds a fault')
  })
})

await t.test('an invalid release', async t => {
  const out = join(t.testdir({}), 'out')
  t.match(await release('--dry-run', '--quick', '--tag', 'v99.0.0', '--out', out), { code: 1, stderr: `release: the tag is 'v99.0.0', and package.json says ${version}: it must be 'v${version}'\n` })
  t.match(await release('--tag', `v${version}`, '--out', out), { code: 2, stderr: /^usage: npm run release/ }, 'without an image')
  t.match(await release('--dry-run', '--quick', '--image', image, '--digest', 'latest', '--out', out), { code: 1, stderr: /^release: --digest 'latest'/ })
  t.match(await release('--tag', `v${version}`, '--image', image, '--digest', digest, '--executables', t.testdirName, '--out', out),
    { code: 1, stderr: /^(release: --executables .*: dittofs-operator-(linux|darwin)-(amd64|arm64)\.tar\.gz is not there\n){4}$/ })
})
