import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { server } from '../admission/webhook.ts'
import { runHere as run } from './here.ts'
import { main, samples } from './program.ts'

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

t.test('exit codes, and the output of kubectl', async t => {
  const passed = await check(good)
  t.equal(passed.code, 0)
  t.equal(passed.stdout, '# standard input\ndittoserver.dittofs.dittofs.com/demo allowed\n')
  t.equal(passed.stderr, 'not checked without --state or --kubeconfig: StorageClasses, Secrets and the Percona operator\n')

  const refused = await check(denied)
  t.equal(refused.code, 1)
  t.equal(refused.stdout, '# standard input\nThe DittoServer "demo" is invalid: spec.replicas: Invalid value: \'9\': must be at most 1 [SCHEMA]\n')

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

t.test('an empty input is not a success', async t => {
  for (const input of ['', '---\n# nothing\n', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n', '{"apiVersion": "v1", "kind": "List", "items": []}']) {
    const { code, stdout, stderr } = await check(input)
    t.equal(code, 2)
    t.equal(stdout, '')
    t.equal(stderr, 'nothing was judged: the input contains no DittoServer\n')
  }
})

t.test('many objects: documents, a List, kustomize output, other kinds', async t => {
  const input = [
    'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: files\n',
    'apiVersion: v1\ndata:\n  a: b\nkind: ConfigMap\nmetadata:\n  name: generated-7m4t9c2h8k\n',
    'apiVersion: dittofs.dittofs.com/v1alpha1\nkind: DittoServer\nmetadata:\n  labels:\n    app: x\n  name: one\n  namespace: files\nspec:\n  storage:\n    metadataSize: 10Gi\n',
    `apiVersion: v1\nkind: List\nitems:\n- ${yaml({ replicas: 9 }, { name: 'two' })}- ${yaml({}, { name: 'three', namespace: undefined })}`,
  ].join('---\n')
  const found = await report(input, '-n', 'elsewhere')
  t.equal(found.code, 1)
  t.strictSame(found.items.map(({ source, namespace, name, allowed }) => [source, namespace, name, allowed]), [
    ['standard input:13', 'files', 'one', true],
    ['standard input:24', 'files', 'two', false],
    ['standard input:24', 'elsewhere', 'three', true],
  ])
})

t.test('the JSON report', async t => {
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
  t.strictSame(await report(''), { code: 2, allowed: false, warningsAsErrors: false, skippedRules: found.skippedRules, items: [] })
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
  t.equal((await run(['check', '-f', join(dir, 'empty.yaml')])).code, 2)
})

t.test('a file that cannot be opened is an error in one line that names the file', async t => {
  const fails = async (message: RegExp, ...args: string[]) => {
    const { code, stdout, stderr } = await run(['check', ...args])
    t.equal(code, 2)
    t.match(stderr, message)
    t.equal(stderr.trimEnd().split('\n').length, 1)
    t.equal(stdout, '')
  }
  await fails(/^dittofs-operator: --filename: ENOENT.*'\/nowhere'/, '-f', '/nowhere')
  await fails(/^dittofs-operator: --state: ENOENT.*'\/nowhere'/, '-f', '-', '--state', '/nowhere')
  await fails(/^dittofs-operator: --previous: ENOENT.*'\/nowhere'/, '-f', '-', '--previous', '/nowhere')
  await fails(/^dittofs-operator: --kubeconfig \/nowhere: ENOENT/, '-f', '-', '--kubeconfig', '/nowhere')
  await fails(/^dittofs-operator: --context a: no kubeconfig to take it from/, '-f', '-', '--context', 'a')
})

t.test('a document that cannot be read is denied, with its line; the others are judged', async t => {
  const broken: Readonly<Record<string, readonly [string, RegExp]>> = {
    'broken.yaml': [`${good}---\napiVersion: v1\nkind: A\nspec: {a: [}\n`, /^# .*broken\.yaml:5\nerror: .* \[MANIFEST\]$/m],
    'scalar.yaml': [`${good}---\nhello\n`, /^# .*scalar\.yaml:3\nerror: not a Kubernetes object \[MANIFEST\]$/m],
    'unnamed.yaml': [`${good}---\n# comment\nkind: A\n`, /^# .*unnamed\.yaml:4\nerror: not a Kubernetes object: apiVersion and kind must be set \[MANIFEST\]$/m],
    'bomb.yaml': [
      `${good}---\napiVersion: v1\nkind: A\nl0: &l0 [x]\n${Array.from({ length: 12 }, (_, i) => `l${i + 1}: &l${i + 1} [${new Array(10).fill(`*l${i}`).join()}]`).join('\n')}\n`,
      /^# .*bomb\.yaml:\d+\nerror: aliases expand to too many nodes \[MANIFEST\]$/m,
    ],
  }
  const dir = t.testdir(Object.fromEntries(Object.entries(broken).map(([name, [text]]) => [name, text])))
  for (const [name, [, message]] of Object.entries(broken)) {
    const { code, stdout } = await run(['check', '-f', join(dir, name)])
    t.equal(code, 1)
    t.match(stdout, message)
    t.match(stdout, ' allowed\n')
    const around = await run(['check', '-f', '-', '--state', join(dir, name)], { input: good })
    t.equal(around.code, 1, 'of the state as well')
    t.match(around.stdout, message)
    const both = await run(['check', '-f', join(dir, name), '--state', dir.replace(/$/, `/./${name}`)])
    t.equal(both.stdout.match(/\[MANIFEST\]/g)?.length, 1, 'told once')
  }
})

t.test('with a state, rules that need other objects are applied', async t => {
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

t.test('an object that is also in the state is an update', async t => {
  const before = yaml({ storage: { metadataSize: '10Gi', storageClassName: 'gone' } }, { uid: 'a-b-c' })
  const dir = t.testdir({ 'cluster.yaml': cluster, 'servers.yaml': before })
  t.equal((await check(before.replace('"uid":"a-b-c"', '"labels":{}'), '--state', dir)).code, 0, 'unchanged: its class may be gone')
  const grown = await report(yaml({ storage: { metadataSize: '5Gi', storageClassName: 'gone' } }), '--state', dir)
  t.match(grown.items, [{ errors: [{ rule: 'STOR-SHRINK' }] }])
  t.equal((await check(yaml({ storage: { metadataSize: '5Gi' } }, { name: 'another' }), '--state', dir)).code, 0)
  t.equal((await check(yaml({ storage: { metadataSize: '5Gi' } }, { namespace: 'elsewhere' }), '--state', dir)).code, 0)
})

t.test('the same folder as input and state: nothing is compared with itself', async t => {
  const dir = t.testdir({ 'cluster.yaml': cluster, 'servers.yaml': denied })
  const { code, stdout } = await run(['check', '-f', dir, '--state', dir])
  t.equal(code, 1, 'a new object, not an unchanged one')
  t.match(stdout, /spec\.replicas/)
})

t.test('another version of the API', async t => {
  const { code, items } = await report(yaml({}, {}, 'dittofs.dittofs.com/v1'))
  t.equal(code, 1)
  t.match(items, [{
    allowed: false,
    errors: [{
      field: 'apiVersion',
      message: 'apiVersion: no matches for kind "DittoServer" in version "dittofs.dittofs.com/v1"; it must be DittoServer in dittofs.dittofs.com/v1alpha1 [KIND]',
    }],
  }])
})

t.test('defaults are filled in before the object is judged', async t => {
  for (const cacheSize of ['""', 'null']) {
    const input = `apiVersion: dittofs.dittofs.com/v1alpha1\nkind: DittoServer\nmetadata: {name: demo}\nspec: {storage: {metadataSize: 1Gi, cacheSize: ${cacheSize}}}\n`
    t.equal((await check(input)).code, 0, cacheSize)
  }
})

t.test('invalid values are judged without a crash', async t => {
  for (const spec of ['7', '[]', 'null', '{storage: 7}', '{storage: {metadataSize: [1]}}', '{? {a: b} : c}']) {
    const { code, stderr } = await check(`apiVersion: dittofs.dittofs.com/v1alpha1\nkind: DittoServer\nmetadata: {name: demo}\nspec: ${spec}\n`)
    t.equal(code, 1, spec)
    t.notMatch(stderr, /at .*\.ts:/)
  }
})

t.test('of the samples, only mistakes.yaml has findings', async t => {
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

t.test('the reader closes the output early', async t => {
  const file = join(t.testdir({}), 'many.yaml')
  writeFileSync(file, Array.from({ length: 3_000 }, (_, i) => yaml({ replicas: 9 }, { name: `s${i}` })).join('---\n'))
  const { stdout, stderr } = await promisify(execFile)('bash', ['-c', `"${process.execPath}" "${main}" check -f "${file}" | head -1`])
  t.equal(stdout, `# ${file}\n`)
  t.notMatch(stderr, /EPIPE/)
})
