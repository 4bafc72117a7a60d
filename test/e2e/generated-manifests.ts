import fc from 'fast-check'
import { stringify } from 'yaml'

// Manifests as people write them and as they should not: a server that is right, with a few things done to it.

type Json = Record<string, unknown>

/** A scalar in a special notation, which the writer inserts unchanged. */
const raw = (scalar: string) => `«${scalar}»`
const unquoted = (yaml: string) => yaml.replace(/(["']?)«([^»]*)»\1/g, '$2')

interface Draft { readonly object: Json, readonly texts: string[] }
interface Change { readonly at: string, readonly value: unknown }
type Step = readonly Change[] | ((draft: Draft) => void)

const set = (...changes: readonly (readonly [string, unknown])[]): Step => changes.map(([at, value]) => ({ at, value }))
const drop = (at: string): Step => [{ at, value: undefined }]

function put (object: Json, at: string, value: unknown): void {
  const keys = at.split('/')
  const last = keys.pop() ?? ''
  const holder = keys.reduce<Json>((inner, key) => {
    const next = inner[key]
    if (typeof next === 'object' && next !== null) return next as Json
    const made: Json = {}
    inner[key] = made
    return made
  }, object)
  if (value === undefined) Reflect.deleteProperty(holder, last)
  else holder[last] = value
}

const right: readonly Step[] = [
  set(['spec/smb/enabled', raw('yes')]),
  set(['spec/smb/enabled', raw('On')], ['spec/smb/port', raw('0o4001')]),
  set(['spec/metrics/enabled', raw('off')], ['spec/metrics/port', raw('9_091')]),
  set(['spec/metrics/enabled', raw('y')]),
  set(['spec/nfsPort', raw('030000')]),
  set(['spec/nfsPort', raw('0x2710')]),
  set(['spec/nfsPort', raw('2.049e3')]),
  set(['spec/nfsPort', raw('08080')], ['spec/controlPlane/port', 8081]),
  set(['spec/replicas', raw('+1')]),
  set(['spec/replicas', raw('~')]),
  set(['spec/image', raw('!!str 5')]),
  set(['spec/image', 'marmos91c/dittofs:v1']),
  set(['spec/service/type', 'NodePort'], ['spec/service/annotations', { 'a/b': 'c' }]),
  set(['spec/resources/limits', { memory: raw('1Gi'), cpu: raw('2') }]),
  set(['spec/s3/credentialsSecretRef/secretName', 's3']),
  set(['spec/storage/storageClassName', 'standard']),
  set(['spec/storage/cacheSize', raw('""')]),
  set(['spec/storage/cacheSize', raw('~')]),
  set(['spec/storage/cacheSize', '20Gi']),
  set(['spec/storage/metadataSize', '20Gi']),
  set(['metadata/labels', { app: 'x', empty: '' }], ['metadata/annotations', { 'Example.com/A': 'anything at all!' }]),
  set(['metadata/labels', raw('&l {a: b}')], ['metadata/annotations', raw('*l')]),
  set(['metadata/creationTimestamp', raw('null')]),
  set(['status', raw('{phase: Running}')]),
  set(['spec/identity/jwt/accessTokenDuration', '1h30m'], ['spec/identity/type', 'memory']),
  ({ texts }) => { texts.push('# a comment at the end') },
]

const doubtful: readonly Step[] = [
  set(['spec/metrics', { enabled: true, port: 8080 }]),
  set(['spec/nfsPort', 445]),
  set(['spec/s3/credentialsSecretRef/secretName', 'absent']),
  set(['spec/s3/credentialsSecretRef/secretName', 'half']),
  set(['spec/identity/admin/username', 'root']),
  set(['spec/cache/path', '/somewhere/else']),
  set(['spec/identity/jwt/secretRef', { name: 'short', key: 'key' }]),
  set(['metadata/finalizers', ['foo', 'example.com/bar']]),
]

const wrong: readonly Step[] = [
  set(['spec/replicas', 9]),
  set(['spec/nfsPort', 0]),
  set(['spec/nfsPort', raw('0300000')]),
  set(['spec/nfsPort', '2049']),
  set(['spec/nfsPort', raw('1:30')]),
  set(['spec/smb/enabled', 'yes']),
  set(['spec/storage/metadataSize', raw('10')]),
  set(['spec/storage/metadataSize', '0Gi']),
  set(['spec/storage/metadataSize', '5Gi']),
  drop('spec/storage/metadataSize'),
  drop('spec'),
  set(['spec', raw('yes')]),
  set(['spec/storage', []]),
  set(['spec/storage/storageClassName', 'fast']),
  set(['spec/storage/contentSize', '7Gi']),
  set(['spec/percona/databaseName', raw('yes')]),
  set(['spec/percona/enabled', true]),
  set(['spec/percona/enabled', true], ['spec/percona/backup/enabled', true]),
  set(['spec/database/type', 'postgres']),
  set(['spec/database/type', 'mysql']),
  set(['spec/cache/size', '1 gigabyte']),
  set(['spec/identity/jwt/accessTokenDuration', '7d']),
  set(['spec/identity/jwt/refreshTokenDuration', '0s']),
  set(['spec/percona/backup/fullSchedule', 'every night']),
  set(['spec/resources/limits', { cpu: 'much' }]),
  set(['spec/service/type', 'ExternalName']),
  set(['spec/image', raw('2026-01-01')], ['spec/replicas', raw('.5')]),
]

const unknown: readonly Step[] = [
  set(['spec/nfsprt', 2049]),
  set(['spec/smb/enable', true], ['spec/smb/Port', 445]),
  set(['spec/storage/cachesize', '5Gi']),
  set(['spec/identity/jwt/secret', { name: 'a' }], ['spec/extra', { deep: { deeper: 1 } }]),
  set(['spec/resources/claims', [{ name: 'a', foo: 1 }, { name: 'b' }]]),
  set(['specs', {}]),
  set(['metadata/lables', { a: 'b' }], ['spec/nfsPorts', raw('~')]),
  set(['metadata/ownerReferences', [{ apiVersion: 'v1', kind: 'Pod', name: 'a', uid: 'b', control: true }]]),
  set(['status/phas', 'x']),
  set(['spec/service/labels', {}]),
]

const metadata: readonly Step[] = [
  set(['metadata/labels', { 'bad key!!': 'x', good: 'bad value!' }]),
  set(['metadata/labels', { 'a/b/c': 'x', '/d': 'y', 'e/': 'z' }]),
  set(['metadata/labels', { a: 'x'.repeat(64) }]),
  set(['metadata/labels', { a: raw('1') }]),
  set(['metadata/labels', raw('{a: yes}')]),
  set(['metadata/annotations', { 'b b': 'x', 'UP_/x': 'y' }]),
  set(['metadata/annotations', { a: raw('1.5') }]),
  set(['metadata/annotations', raw('[a]')]),
  set(['metadata/finalizers', ['a b']]),
  set(['metadata/finalizers', raw('foo')]),
  set(['metadata/ownerReferences', [{ name: 'a' }]]),
  set(['metadata/namespace', 'Upper_Case']),
  set(['metadata/name', '1st']),
  set(['metadata/name', 'a.b']),
  set(['metadata/name', 'x'.repeat(53)]),
  set(['metadata/name', raw('5')]),
  set(['metadata/name', raw('on')]),
  drop('metadata/name'),
  drop('metadata'),
  ({ object }) => {
    put(object, 'metadata/generateName', 'gen-')
    put(object, 'metadata/name', undefined)
  },
  set(['metadata/creationTimestamp', 'yesterday']),
]

const identity: readonly Step[] = [
  set(['kind', 'DittoSever']),
  set(['apiVersion', 'ditofs.dittofs.com/v1alpha1']),
  set(['apiVersion', 'dittofs.dittofs.com/v1']),
]

const textual: readonly Step[] = [
  ({ texts }) => { texts.push('kind: DittoServer') },
  ({ texts }) => { texts.push('spec: {storage: {metadataSize: 30Gi}, nfsPort: 1, nfsPort: 2}') },
  ({ texts }) => { texts.push('spec: {storage: {metadataSize: 0Gi}}') },
]

/** A whole document as text, instead of one generated from an object. */
const strange = fc.constantFrom(
  'hello', 'a: 1', '- a\n- b', 'apiVersion: v1\nkind: A\nspec: {a: [}', 'apiVersion: v1\n\tkind: A', '# nothing', '', 'null', '~',
  'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\ndata: {a: b}', '"quoted"', 'x: *nowhere', 'x: &a {y: *a}', 'x: .inf', '? {a: b}\n: c',
)

const step = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...right) },
  { weight: 3, arbitrary: fc.constantFrom(...doubtful) },
  { weight: 3, arbitrary: fc.constantFrom(...wrong) },
  { weight: 2, arbitrary: fc.constantFrom(...unknown) },
  { weight: 2, arbitrary: fc.constantFrom(...metadata) },
  { weight: 1, arbitrary: fc.constantFrom(...identity) },
  { weight: 1, arbitrary: fc.constantFrom(...textual) },
)

const style = fc.constantFrom('block', 'block', 'flow', 'json', 'windows')

/** `base`: the original object; its name is that of a stored object, or a new one. */
function write (base: Json, steps: readonly Step[], styled: string): string {
  const object = structuredClone(base)
  const texts: string[] = []
  for (const one of steps) {
    if (typeof one === 'function') one({ object, texts })
    else for (const { at, value } of one) put(object, at, value)
  }
  const yaml = stringify(object, styled === 'flow' ? { collectionStyle: 'flow', lineWidth: 0 } : { lineWidth: 0 })
  if (styled === 'json' && texts.length === 0 && !yaml.includes('«')) return JSON.stringify(object, undefined, 1)
  const text = unquoted(yaml) + (styled === 'flow' ? '' : texts.map(line => `${line}\n`).join(''))
  return styled === 'windows' ? text.replaceAll('\n', '\r\n') : text
}

export const newServer = (name: string, namespace?: string): Json => ({
  apiVersion: 'dittofs.dittofs.com/v1alpha1', kind: 'DittoServer', metadata: { name, ...namespace === undefined ? {} : { namespace } }, spec: { storage: { metadataSize: '10Gi' } },
})

/** Texts with one to three documents: new servers and changes of stored ones, sometimes other documents. */
export function generatedManifests (stored: readonly Json[], numRuns: number, seed: number): string[] {
  let count = 0
  const server = fc.tuple(fc.option(fc.constantFrom(...stored), { freq: 2 }), fc.array(step, { maxLength: 3 }), style, fc.constantFrom(undefined, undefined, 'other'))
    .map(([base, steps, styled, namespace]) => write(base ?? newServer(`n-${count++}`, namespace), steps, styled))
  const document = fc.oneof({ weight: 14, arbitrary: server }, { weight: 1, arbitrary: strange })
  const separator = fc.constantFrom('---', '---', '---', '--- # next', '---   ')
  const text = fc.array(fc.tuple(document, separator), { minLength: 1, maxLength: 3 })
    .map(parts => parts.map(([body, line], index) => (index === 0 ? '' : `${line}\n`) + (body.endsWith('\n') || body === '' ? body : `${body}\n`)).join(''))
  return fc.sample(text, { numRuns, seed })
}
