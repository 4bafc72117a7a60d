import { execFile } from 'node:child_process'
import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { parseAllDocuments } from 'yaml'

const file = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const examples = file('manifests/examples')

interface Document { kind: string, metadata: { name: string }, spec?: { source?: { path: string }, path?: string } }

const documents = readdirSync(examples).filter(name => name.endsWith('.yaml')).flatMap(name =>
  parseAllDocuments(readFileSync(join(examples, name), 'utf8')).map(document => [name, document.toJS() as Document] as const))

t.test('check has no finding in the examples', async t => {
  const state = t.testdir({})
  cpSync(examples, join(state, 'examples'), { recursive: true })
  cpSync(file('manifests/samples/cluster.yaml'), join(state, 'cluster.yaml'))
  cpSync(file('test/e2e/percona-crd.yaml'), join(state, 'percona-crd.yaml'))
  const args = [file('src/main.ts'), 'check', '-f', examples, '--state', state, '--warnings-as-errors', '-o', 'json']
  const { stdout } = await promisify(execFile)(process.execPath, args)
  const { items } = JSON.parse(stdout) as { items: { name: string, errors: object[], warnings: object[] }[] }
  t.strictSame(items.map(({ name }) => name).sort(), documents.filter(([, { kind }]) => kind === 'DittoServer').map(([, { metadata }]) => metadata.name).sort())
  for (const { name, errors, warnings } of items) t.strictSame([...errors, ...warnings], [], name)
})

t.test('each server has the name of its file', async t => {
  for (const [name, { kind, metadata }] of documents) if (kind === 'DittoServer') t.equal(`${metadata.name}.yaml`, `dittofs-${name}`)
})

t.test('GitOps examples refer to existing paths', async t => {
  const paths = documents.flatMap(([, { metadata, spec }]) => metadata.name === 'dittofs-operator' ? spec?.source?.path ?? spec?.path ?? [] : [])
  t.equal(paths.length, 2)
  for (const path of paths) t.ok(readdirSync(file(path)).includes('kustomization.yaml'), path)
})
