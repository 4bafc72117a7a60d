import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { server } from '../admission/webhook.ts'
import { faultIn, main, run, samples } from './program.ts'

const yaml = (spec: object = {}, metadata: object = {}, apiVersion = 'dittofs.dittofs.com/v1alpha1') =>
  `${JSON.stringify({ ...server(spec, metadata), apiVersion })}\n`
const good = yaml()
const denied = yaml({ replicas: 9 })
const warned = yaml({ metrics: { enabled: true, port: 8080 } })
const cluster = `
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: standard, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
---
apiVersion: v1
kind: Secret
metadata: {name: s3, namespace: files}
stringData: {accessKeyId: a, secretAccessKey: b}
`

interface Report {
  readonly allowed: boolean
  readonly skippedRules: readonly string[]
  readonly items: readonly {
    readonly source: string
    readonly namespace: string
    readonly name: string
    readonly allowed: boolean
    readonly errors: readonly { readonly rule: string, readonly field: string, readonly message: string }[]
    readonly warnings: readonly { readonly rule: string }[]
  }[]
}

const check = async (input: string, ...args: string[]) => await run(['check', '-f', '-', ...args], { input })
const report = async (input: string, ...args: string[]) => {
  const { stdout, code } = await check(input, '-o', 'json', ...args)
  return { code, ...JSON.parse(stdout) as Report }
}

t.test('exit codes, and the words of kubectl', async t => {
  const passed = await check(good)
  t.equal(passed.code, 0)
  t.equal(passed.stdout, '# standard input\ndittoserver.dittofs.dittofs.com/demo allowed\n')
  t.match(passed.stderr, /^not checked without --state or --kubeconfig: .*SC-MISSING/)

  const refused = await check(denied)
  t.equal(refused.code, 1)
  t.equal(refused.stdout, '# standard input\nThe DittoServer "demo" is invalid:\n* spec.replicas: Invalid value: \'9\': must be at most 1 [SCHEMA]\n')

  const doubted = await check(warned)
  t.equal(doubted.code, 0)
  const [source, warning, verdict] = doubted.stdout.split('\n')
  t.equal(source, '# standard input')
  t.match(warning, /^Warning: spec\.metrics\.port: .* \[PORT-CONFLICT\]$/)
  t.equal(verdict, 'dittoserver.dittofs.dittofs.com/demo allowed')
  t.equal((await check(warned, '--warnings-as-errors')).code, 1)
  t.equal((await check(good, '--warnings-as-errors')).code, 0)
  t.equal((await check(warned, '--rule', 'PORT-CONFLICT=deny')).code, 1)
  t.equal((await run(['check', '-f', '-'], { input: warned, env: { DITTOFS_OPERATOR_RULE: 'PORT-CONFLICT=deny' } })).code, 1)
})

t.test('nothing to check', async t => {
  for (const input of ['', '---\n# nothing\n', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n']) {
    const { code, stdout, stderr } = await check(input)
    t.equal(code, 0)
    t.equal(stdout, '')
    t.equal(stderr, 'no DittoServer among the objects\n')
  }
})

t.test('many objects: documents, a List, what kustomize builds, kinds of others', async t => {
  const input = [
    'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: files\n',
    'apiVersion: v1\ndata:\n  a: b\nkind: ConfigMap\nmetadata:\n  name: generated-7m4t9c2h8k\n',
    'apiVersion: dittofs.dittofs.com/v1alpha1\nkind: DittoServer\nmetadata:\n  labels:\n    app: x\n  name: one\n  namespace: files\nspec:\n  storage:\n    metadataSize: 10Gi\n',
    `apiVersion: v1\nkind: List\nitems:\n- ${yaml({ replicas: 9 }, { name: 'two' })}- ${yaml({}, { name: 'three', namespace: undefined })}`,
    'apiVersion: example.com/v1\nkind: DittoServer\nmetadata:\n  name: of-another-group\n',
  ].join('---\n')
  const found = await report(input, '-n', 'elsewhere')
  t.equal(found.code, 1)
  t.strictSame(found.items.map(({ source, namespace, name, allowed }) => [source, namespace, name, allowed]), [
    ['standard input:13', 'files', 'one', true],
    ['standard input:24', 'files', 'two', false],
    ['standard input:24', 'elsewhere', 'three', true],
  ])
})

t.test('the report for programs', async t => {
  const found = await report(yaml({ replicas: 9, metrics: { enabled: true, port: 8080 } }))
  t.equal(found.code, 1)
  t.equal(found.allowed, false)
  t.ok(found.skippedRules.includes('SC-MISSING'))
  t.match(found.items, [{
    source: 'standard input',
    namespace: 'files',
    name: 'demo',
    allowed: false,
    errors: [{ rule: 'SCHEMA', severity: 'deny', field: 'spec.replicas', message: "spec.replicas: Invalid value: '9': must be at most 1 [SCHEMA]" }],
    warnings: [{ rule: 'PORT-CONFLICT', severity: 'warn', field: 'spec.metrics.port' }],
  }])
  t.strictSame(await report(''), { code: 0, allowed: true, skippedRules: found.skippedRules, items: [] })
  t.strictSame((await report(good, '--state', t.testdir({ 'cluster.yaml': cluster }))).skippedRules, [])
})

t.test('files and folders', async t => {
  const dir = t.testdir({
    'a.yaml': good,
    'b.json': yaml({ replicas: 9 }, { name: 'b' }),
    'notes.md': 'no YAML: [',
    sub: { 'c.yml': yaml({}, { name: 'c' }) },
    'empty.yaml': '',
  })
  const { code, stdout } = await run(['check', '-f', dir])
  t.equal(code, 1)
  t.strictSame(stdout.match(/^# .*$/gm), [`# ${join(dir, 'a.yaml')}`, `# ${join(dir, 'b.json')}`, `# ${join(dir, 'sub', 'c.yml')}`])
  t.equal((await run(['check', '-f', join(dir, 'a.yaml'), '-f', join(dir, 'sub')])).code, 0, '-f may be given again')
  t.equal((await run(['check', '-f', join(dir, 'empty.yaml')])).code, 0)
})

t.test('what cannot be read is a fault, in one line that names it', async t => {
  const dir = t.testdir({
    'broken.yaml': `${good}---\napiVersion: v1\nkind: A\nspec: {a: [}\n`,
    'scalar.yaml': `${good}---\nhello\n`,
    'unnamed.yaml': '# comment\nkind: A\n',
    'bomb.yaml': `apiVersion: v1\nkind: A\nl0: &l0 [x]\n${Array.from({ length: 12 }, (_, i) => `l${i + 1}: &l${i + 1} [${new Array(10).fill(`*l${i}`).join()}]`).join('\n')}\n`,
  })
  const fails = async (message: RegExp, ...args: string[]) => {
    const outcome = await run(['check', ...args])
    t.equal(outcome.code, 2)
    t.strictSame(faultIn(outcome).lines.length, 1)
    t.match(outcome.stderr, message)
    t.equal(outcome.stdout, '', 'no half a report')
  }
  await fails(/^dittofs-operator: --filename: ENOENT.*'\/nowhere'/, '-f', '/nowhere')
  await fails(/^dittofs-operator: .*broken\.yaml: .* line 5, column \d+/, '-f', join(dir, 'broken.yaml'))
  await fails(/^dittofs-operator: .*scalar\.yaml:3: not a Kubernetes object/, '-f', join(dir, 'scalar.yaml'))
  await fails(/^dittofs-operator: .*unnamed\.yaml:2: not a Kubernetes object/, '-f', join(dir, 'unnamed.yaml'))
  await fails(/^dittofs-operator: .*bomb\.yaml:1: .*alias/, '-f', join(dir, 'bomb.yaml'))
  await fails(/^dittofs-operator: --state: ENOENT.*'\/nowhere'/, '-f', '-', '--state', '/nowhere')
  await fails(/^dittofs-operator: .*broken\.yaml: /, '-f', '-', '--state', join(dir, 'broken.yaml'))
  await fails(/^dittofs-operator: --kubeconfig \/nowhere: ENOENT/, '-f', '-', '--kubeconfig', '/nowhere')
})

t.test('with a state, the rules on other objects are judged', async t => {
  const dir = t.testdir({ 'cluster.yaml': cluster })
  const s3 = (secretName: string, namespace?: string) => yaml({ s3: { credentialsSecretRef: { secretName } } }, { namespace })
  const rulesOf = async (input: string, ...args: string[]) => {
    const { items } = await report(input, '--state', dir, ...args)
    return items.flatMap(({ errors, warnings }) => [...errors, ...warnings].map(({ rule }) => rule))
  }
  t.strictSame(await rulesOf(good), [])
  t.strictSame(await rulesOf(yaml({ storage: { metadataSize: '1Gi', storageClassName: 'nope' } })), ['SC-MISSING'])
  t.strictSame(await rulesOf(s3('s3', 'files')), [])
  t.strictSame(await rulesOf(s3('s3', 'elsewhere')), ['S3-SECRET-MISSING'], 'not a Secret of another namespace')
  t.strictSame(await rulesOf(s3('s3'), '-n', 'files'), [], 'the namespace of objects that give none')
  t.strictSame(await rulesOf(s3('s3')), ['S3-SECRET-MISSING'])
  t.strictSame(await rulesOf(`${s3('new', 'files')}---\n${JSON.stringify({
    apiVersion: 'v1', kind: 'Secret', metadata: { name: 'new', namespace: 'files' }, stringData: { accessKeyId: 'a', secretAccessKey: 'b' },
  })}\n`), [], 'a Secret that is applied together with it')
})

t.test('an object that the state has too is an update', async t => {
  const before = yaml({ storage: { metadataSize: '10Gi', storageClassName: 'gone' } })
  const dir = t.testdir({ 'cluster.yaml': cluster, 'servers.yaml': before })
  t.equal((await check(before, '--state', dir)).code, 0, 'unchanged: its class may be gone')
  const grown = await report(yaml({ storage: { metadataSize: '5Gi', storageClassName: 'gone' } }), '--state', dir)
  t.match(grown.items, [{ errors: [{ rule: 'STOR-SHRINK' }] }])
  t.equal((await check(yaml({ storage: { metadataSize: '5Gi' } }, { name: 'another' }), '--state', dir)).code, 0)
  t.equal((await check(yaml({ storage: { metadataSize: '5Gi' } }, { namespace: 'elsewhere' }), '--state', dir)).code, 0)
})

t.test('one folder as both: nothing is compared with itself', async t => {
  const dir = t.testdir({ 'cluster.yaml': cluster, 'servers.yaml': denied })
  const { code, stdout } = await run(['check', '-f', dir, '--state', dir])
  t.equal(code, 1, 'a new object, not an unchanged one')
  t.match(stdout, /spec\.replicas/)
})

t.test('another version of the API', async t => {
  const { code, items } = await report(yaml({}, {}, 'dittofs.dittofs.com/v1'))
  t.equal(code, 1)
  t.match(items, [{
    allowed: false, errors: [{ field: 'apiVersion', message: "apiVersion: Unsupported value: 'dittofs.dittofs.com/v1': must be 'dittofs.dittofs.com/v1alpha1' [SCHEMA]" }],
  }])
})

t.test('the default is filled in before the object is judged', async t => {
  for (const cacheSize of ['""', 'null']) {
    const input = `apiVersion: dittofs.dittofs.com/v1alpha1\nkind: DittoServer\nmetadata: {name: demo}\nspec: {storage: {metadataSize: 1Gi, cacheSize: ${cacheSize}}}\n`
    t.equal((await check(input)).code, 0, cacheSize)
  }
})

t.test('nonsense is judged, not crashed on', async t => {
  for (const spec of ['7', '[]', 'null', '{storage: 7}', '{storage: {metadataSize: [1]}}', '{? {a: b} : c}']) {
    const { code, stderr } = await check(`apiVersion: dittofs.dittofs.com/v1alpha1\nkind: DittoServer\nmetadata: {name: demo}\nspec: ${spec}\n`)
    t.equal(code, 1, spec)
    t.notMatch(stderr, /at .*\.ts:/)
  }
})

t.test('of the samples, only the mistakes are found fault with', async t => {
  const { stdout, code } = await run(['check', '-f', samples, '--state', samples, '-o', 'json'])
  const { items } = JSON.parse(stdout) as Report
  t.equal(code, 1)
  const faulted = items.filter(({ errors, warnings }) => errors.length + warnings.length > 0)
  t.strictSame(faulted.map(({ name, allowed }) => [name, allowed]), [['dittofs-unknown-class', false], ['dittofs-warnings', true]])
  t.strictSame(faulted.map(({ source }) => /mistakes\.yaml/.test(source)), [true, true])
  t.strictSame(faulted[0]?.errors.map(({ rule }) => rule), ['SC-MISSING'])
  t.strictSame(faulted[1]?.warnings.map(({ rule }) => rule).sort(), ['PORT-CONFLICT', 'S3-SECRET-MISSING'])
  t.ok(items.length >= 5)
})

t.test('output that nobody reads to its end', async t => {
  const file = join(t.testdir({}), 'many.yaml')
  writeFileSync(file, Array.from({ length: 3_000 }, (_, i) => yaml({ replicas: 9 }, { name: `s${i}` })).join('---\n'))
  const { stdout, stderr } = await promisify(execFile)('bash', ['-c', `"${process.execPath}" "${main}" check -f "${file}" | head -1`])
  t.equal(stdout, `# ${file}\n`)
  t.notMatch(stderr, /EPIPE/)
})
