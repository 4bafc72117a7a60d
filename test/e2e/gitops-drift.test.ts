import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import { installedObjects } from '../../sandbox/installed-objects.ts'
import { startOperator } from '../../sandbox/operator.ts'
import { objectSchema } from '../../src/dittoserver/object-schema.ts'
import { isObject, type StructuralSchema } from '../../src/dittoserver/structural.ts'
import { binariesOrSkip, eventually, freePort, startControlPlane } from '../control-plane/control-plane.ts'
import { documents, manifestFolder } from './installation.ts'
import { kubectlUser, type Found } from './kubectl-user.ts'

// GitOps tools apply the same manifests again and again, and compare them with the cluster: a field that the API server, the webhook or the
// operator adds is a difference that never ends, unless it is a documented default.

const file = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const asTool = ['--server-side', '--field-manager=argocd-controller', '--force-conflicts']

interface Added { readonly path: string, readonly value: unknown }

/** What is there besides the applied value. @throws if something that was applied is not there */
function addedTo (applied: unknown, stored: unknown, path: string): Added[] {
  if (!isObject(applied) || !isObject(stored)) {
    if (JSON.stringify(applied) !== JSON.stringify(stored)) throw new Error(`${path}: ${JSON.stringify(applied)} is stored as ${JSON.stringify(stored)}`)
    return []
  }
  return [...new Set([...Object.keys(applied), ...Object.keys(stored)])].flatMap(key =>
    key in applied ? addedTo(applied[key], stored[key], `${path}.${key}`) : [{ path: `${path}.${key}`, value: stored[key] }])
}

const schemaAt = (path: string) => path.split('.').reduce<StructuralSchema | undefined>((schema, key) => schema?.properties?.[key], objectSchema)

const binaries = await binariesOrSkip(t, { controllerManager: true })
if (binaries) {
  const plane = await startControlPlane(t, binaries, { controllerManager: true, crds: [file('test/e2e/percona-crd.yaml')] })
  const user = kubectlUser(plane)

  /** Applies again: neither a difference before it, nor a new version of an object after it. */
  const assertNoDrift = async (t: Test, args: readonly string[], input?: string) => {
    const versions = async () => (JSON.parse(await user.run(['get', ...args, '-o', 'json'], input)) as { items: Found[] }).items
      .map(({ metadata: { name, generation, uid } }) => `${name} ${uid} ${generation}`)
    const before = await versions()
    const { code, stdout, stderr } = await plane.kubectl(['diff', ...asTool, ...args], input)
    t.equal(code, 0, 'no difference', { said: stdout + stderr })
    await user.run(['apply', ...asTool, ...args], input)
    t.strictSame(await versions(), before, 'no new generation')
    return before.length
  }

  await t.test('the installation', async t => {
    const args = ['-k', manifestFolder('default')]
    await user.run(['apply', ...asTool, ...args])
    t.ok(await assertNoDrift(t, args) > 15)
  })

  await t.test('servers, with the webhook and the operator', async t => {
    // Those that point to a Service, which no pod is behind.
    await user.run(['delete', 'mutatingwebhookconfiguration,validatingwebhookconfiguration', 'dittofs-operator'])
    const port = await freePort()
    const objects = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: installedObjects(port) })
    await user.run(['apply', '--server-side', '--force-conflicts', '-f', '-'], objects)
    await startOperator(t, plane, { folder: plane.folder, port, uiPort: await freePort(), program: file('src/main.ts'), flags: [] })
    const names = ['samples/cluster', 'samples/minimal', 'samples/production', 'samples/s3', 'examples/external-postgresql', 'examples/percona-backups',
      'examples/percona-mirrored-images', 'examples/restricted-namespace']
    const all = (await Promise.all(names.map(async name => documents(await readFile(file(`manifests/${name}.yaml`), 'utf8'))))).flat()
      .filter(({ kind }) => kind !== 'CustomResourceDefinition')
    const namespaces = new Set(all.flatMap(({ metadata: { namespace } }) => namespace ?? []))
    for (const name of namespaces) await plane.kubectl(['create', 'namespace', name])
    const others = all.filter(({ kind }) => kind !== 'DittoServer')
    await user.run(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: others }))
    const servers = all.filter(({ kind }) => kind === 'DittoServer')
    t.ok(servers.length >= 6)
    // Not a List: kubectl validates its items without their defaults.
    const list = servers.map(server => stringify(server)).join('---\n')
    await eventually(async () => await user.run(['apply', ...asTool, '-f', '-'], list), 'the webhook answers')

    const reference = await readFile(file('docs/reference.md'), 'utf8')
    for (const { metadata: { name, namespace = 'default' }, ...applied } of servers as unknown as (Found & { metadata: { namespace?: string } })[]) {
      const seen = await eventually(async () => {
        const found = JSON.parse(await user.run(['get', 'dittoserver', name, '-n', namespace, '-o', 'json'])) as Found
        return found.status?.observedGeneration === found.metadata.generation && found
      }, `${name}: the operator has seen it`)
      const added = addedTo(applied.spec, seen.spec, 'spec')
      for (const { path, value } of added) {
        t.strictSame(value, schemaAt(path)?.default, `${name}: ${path} has its default`)
        t.match(reference, new RegExp(`^\\| \`${path}\` \\|.* Default: `, 'm'), `${path}: its default is documented`)
      }
    }
    await assertNoDrift(t, ['-f', '-'], list)
  })
}
