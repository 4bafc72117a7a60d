import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { runHere } from '../command-line/here.ts'
import { collections, refused, scalars } from '../embedded/yaml-values.ts'
import { binariesOrSkip, eventually, startControlPlane } from '../control-plane/control-plane.ts'
import { disagreements, refusedOutsideDryRun, type Item } from './agreement-of-findings.ts'
import { generatedManifests, newServer } from './generated-manifests.ts'
import { asServiceAccount } from './installation.ts'
import { kubectlFindings } from './kubectl-findings.ts'
import { startOperator } from './operator.ts'

// One file, judged twice: by `check`, and by the real kubectl, API server and webhook in `kubectl apply --dry-run=server`.
// The exit code and all findings must be the same. kubectl takes a third of a second of CPU for a file, so a suite compares 100 of them:
// CHECK_FILES=1000 CHECK_SEED=1 npm test -- --timeout=3600 test/e2e/check.test.ts

const files = Number(process.env.CHECK_FILES ?? 100)
const seed = Number(process.env.CHECK_SEED ?? 20_261_124)

const manifests = fileURLToPath(new URL('../../manifests/', import.meta.url))
const samples = ['minimal', 'mistakes', 'production', 's3']

/** Objects that the generated manifests refer to. */
const around = `
apiVersion: v1
kind: Namespace
metadata: {name: other}
---
apiVersion: v1
kind: Secret
metadata: {name: s3, namespace: default}
stringData: {accessKeyId: a, secretAccessKey: b}
---
apiVersion: v1
kind: Secret
metadata: {name: half, namespace: default}
stringData: {accessKeyId: a}
---
apiVersion: v1
kind: Secret
metadata: {name: short, namespace: default}
stringData: {key: too-short}
`

/** kubectl stops at a document that it cannot read. */
const untilUnreadable = (items: readonly Item[]): readonly Item[] => {
  const index = items.findIndex(({ errors }) => errors.some(({ rule }) => rule === 'MANIFEST'))
  return index < 0 ? items : items.slice(0, index + 1)
}

const withoutServers = (texts: readonly string[]) =>
  texts.flatMap(text => text.split(/^---$/m)).filter(part => !part.includes('kind: DittoServer')).join('---\n')

const binaries = await binariesOrSkip(t)
if (binaries) {
  const plane = await startControlPlane(t, binaries, { crds: [`${manifests}crd.yaml`], webhooks: [`${manifests}webhooks.yaml`] })
  const { kubectl, webhook } = plane
  if (!webhook) throw new Error('no webhook')
  const operator = await startOperator(t, [
    ...await asServiceAccount(plane), '--tls-dir', webhook.certDir, '--port', String(webhook.port), '--no-controller',
  ])
  await operator.ready(60_000)
  const apply = async (text: string) => {
    const { code, stderr } = await kubectl(['apply', '-f', '-'], text)
    if (code !== 0) throw new Error(stderr)
  }
  await apply(around)
  // A dry run of a whole file creates nothing: Secrets and StorageClasses in the samples would be missing for the servers that use them.
  const sample = async (name: string) => await readFile(`${manifests}samples/${name}.yaml`, 'utf8')
  await apply(withoutServers(await Promise.all(['cluster', ...samples].map(sample))))
  const stored = [newServer('small'), { ...newServer('large', 'other'), spec: { storage: { metadataSize: '10Gi', cacheSize: '10Gi', storageClassName: 'fast' } } }]
  await eventually(async () => {
    for (const server of stored) await apply(JSON.stringify(server))
    return !(await kubectl(['apply', '--dry-run=server', '-f', '-'], JSON.stringify(newServer('warm-up')))).stderr.includes('Warning')
  }, 'the classes are known')

  const state = join(t.testdir({}), 'state')
  await mkdir(state)
  await writeFile(join(state, 'cluster.yaml'), (await kubectl(['get', 'storageclasses,secrets,dittoservers', '-A', '-o', 'yaml'])).stdout)

  interface Verdict { readonly code: number, readonly items: readonly Item[], readonly stderr: string }
  const check = async (text: string, surroundings: readonly string[]): Promise<Verdict> => {
    const { code, stdout, stderr } = await runHere(['check', '-f', '-', '-o', 'json', ...surroundings], { input: text })
    return { code, items: stdout === '' ? [] : (JSON.parse(stdout) as { items: Item[] }).items, stderr }
  }

  t.test('YAML values', async t => {
    const read = async (text: string) => {
      const { code, stdout } = await kubectl(['create', '--dry-run=client', '--validate=false', '-o', 'json', '-f', '-'],
        `apiVersion: dittofs.dittofs.com/v1alpha1\nkind: DittoServer\nmetadata: {name: a}\n${text}\n`)
      return code === 0 ? JSON.parse(stdout) as { spec: unknown } : undefined
    }
    const texts = [...scalars, ...collections].map(([text], index) => `  v${index}: ${text.replaceAll('\n', '\n  ')}`)
    const values = [...scalars, ...collections].map(([, value], index) => [`v${index}`, typeof value === 'bigint' ? Number(value) : value])
    t.strictSame((await read(`spec:\n${texts.join('\n')}`))?.spec, Object.fromEntries(values))
    for (const [text] of refused) t.equal(await read(`spec:\n  ${text.replaceAll('\n', '\n  ')}`), undefined, text)
  })

  interface Comparison { readonly verdict: 'allowed' | 'refused' | 'nothing judged', readonly warned: boolean, readonly differences: readonly string[] }

  const compare = async (text: string): Promise<Comparison> => {
    const applied = await kubectl(['apply', '--dry-run=server', '-f', '-'], text)
    const theirs = kubectlFindings(applied.stderr)
    const { code, items } = await check(text, ['--kubeconfig', plane.kubeconfig])
    const offline = await check(text, ['--state', state])
    const refused = applied.code !== 0 || refusedOutsideDryRun(theirs)
    const expected = items.length === 0 ? 2 : refused ? 1 : 0
    const differences = [
      ...code === expected ? [] : [`exit code ${code}, kubectl: ${applied.code}`],
      ...disagreements(theirs.stopped ? untilUnreadable(items) : items, theirs),
      ...isDeepStrictEqual(offline.items, items) ? [] : [`with --state: ${JSON.stringify(offline.items)}`],
    ]
    return {
      verdict: items.length === 0 ? 'nothing judged' : refused ? 'refused' : 'allowed',
      warned: theirs.warnings.length > 0,
      differences: differences.map(difference => `${difference}\nkubectl: ${applied.stderr}check: ${JSON.stringify(items)}\n${text}`),
    }
  }

  t.test('objects in the same stream are known to each other', async t => {
    const stream = (className: string) => [
      '{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: new}, provisioner: example.com/none}',
      '{apiVersion: v1, kind: Secret, metadata: {name: new}, stringData: {accessKeyId: a, secretAccessKey: b}}',
      JSON.stringify({ ...newServer('n'), spec: { storage: { metadataSize: '1Gi', storageClassName: className }, s3: { credentialsSecretRef: { secretName: 'new' } } } }),
    ].join('\n---\n')
    for (const surroundings of [['--kubeconfig', plane.kubeconfig], ['--state', state]]) {
      t.match(await check(stream('new'), surroundings), { code: 0, items: [{ errors: [], warnings: [] }] })
      t.match(await check(stream('newer'), surroundings), { code: 1, items: [{ errors: [{ rule: 'SC-MISSING' }], warnings: [] }] })
    }
  })

  t.test('the samples', async t => {
    for (const name of samples) t.strictSame((await compare(await sample(name))).differences, [], name)
  })

  t.test(`${files} files, seed ${seed}`, async t => {
    const texts = generatedManifests(stored, files, seed)
    const compared: Comparison[] = []
    const queue = [...texts]
    const work = async () => {
      for (let text = queue.shift(); text !== undefined; text = queue.shift()) compared.push(await compare(text))
    }
    await Promise.all([work(), work(), work(), work()])
    for (const difference of compared.flatMap(({ differences }) => differences).slice(0, 20)) t.fail(difference)
    const agreed = compared.filter(({ differences }) => differences.length === 0)
    t.equal(agreed.length, files)
    const count = (verdict: Comparison['verdict']) => agreed.filter(found => found.verdict === verdict).length
    const mix = `${count('allowed')} allowed, ${count('refused')} refused, ${count('nothing judged')} with nothing to judge, ${agreed.filter(({ warned }) => warned).length} with warnings`
    t.comment(mix)
    t.ok(Math.min(count('allowed'), count('refused')) > files / 5, `a mix: ${mix}`)
  })
}
