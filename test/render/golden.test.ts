import { readdir, readFile, writeFile } from 'node:fs/promises'
import t from 'tap'
import { parse, stringify } from 'yaml'
import type { KubernetesObject } from '../../src/cluster/kubernetes-object.ts'
import { readDittoServer } from '../../src/dittoserver/dittoserver.ts'
import { choosePercona } from '../../src/percona/choice.ts'
import { render } from '../../src/render/index.ts'
import type { RenderInputs } from '../../src/render/inputs.ts'

// Each case is a DittoServer and its rendered objects, for review by people. `UPDATE_GOLDEN=1` writes the current output.

const cases = new URL('cases/', import.meta.url)
const golden = new URL('golden/', import.meta.url)
const inputs: RenderInputs = { configHash: '0'.repeat(64) }

interface Case {
  readonly metadata?: object
  readonly spec: object
  readonly inputs?: Partial<RenderInputs>
  /** The PostgreSQL cluster that exists already. */
  readonly perconaCluster?: KubernetesObject
}

const perconaOperator = '2.9.0'

const names = (await readdir(cases)).map(file => file.replace('.yaml', ''))
t.ok(names.length >= 12)

for (const name of names) {
  t.test(name, async t => {
    const given = parse(await readFile(new URL(`${name}.yaml`, cases), 'utf8')) as Case
    const { metadata = { name: 'demo', namespace: 'files', uid: '1111' }, spec, inputs: more, perconaCluster } = given
    const { server, errors } = readDittoServer({ metadata, spec })
    t.strictSame(errors, [], 'the case is legal')
    const rendered = render(server, { ...inputs, percona: choosePercona(server.spec.percona, perconaOperator, perconaCluster), ...more })
    t.strictSame(rendered, rendered.map(each => each.object ? JSON.parse(JSON.stringify(each)) as unknown : each), 'plain JSON: no field is there without a value')
    const text = rendered
      .map(({ kind, name: child, object }) => object ? stringify(object, { lineWidth: 0, aliasDuplicateObjects: false }) : `# no ${kind} ${child}\n`)
      .join('---\n')
    const file = new URL(`${name}.yaml`, golden)
    if (process.env.UPDATE_GOLDEN) await writeFile(file, text)
    t.equal(text, await readFile(file, 'utf8'))
  })
}
