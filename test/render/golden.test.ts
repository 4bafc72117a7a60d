import { readdir, readFile, writeFile } from 'node:fs/promises'
import t from 'tap'
import { parse, stringify } from 'yaml'
import { readDittoServer } from '../../src/dittoserver/dittoserver.ts'
import { render } from '../../src/render/index.ts'
import type { RenderInputs } from '../../src/render/inputs.ts'

// Each case is a DittoServer and what is rendered of it, to be read by a person. `UPDATE_GOLDEN=1` writes what is rendered now.

const cases = new URL('cases/', import.meta.url)
const golden = new URL('golden/', import.meta.url)
const inputs: RenderInputs = { configHash: '0'.repeat(64) }

interface Case { readonly metadata?: object, readonly spec: object, readonly inputs?: Partial<RenderInputs> }

const names = (await readdir(cases)).map(file => file.replace('.yaml', ''))
t.ok(names.length >= 12)

for (const name of names) {
  t.test(name, async t => {
    const { metadata = { name: 'demo', namespace: 'files', uid: '1111' }, spec, inputs: more } = parse(await readFile(new URL(`${name}.yaml`, cases), 'utf8')) as Case
    const { server, errors } = readDittoServer({ metadata, spec })
    t.strictSame(errors, [], 'the case is legal')
    const text = render(server, { ...inputs, ...more })
      .map(({ kind, name: child, object }) => object ? stringify(object, { lineWidth: 0, aliasDuplicateObjects: false }) : `# no ${kind} ${child}\n`)
      .join('---\n')
    const file = new URL(`${name}.yaml`, golden)
    if (process.env.UPDATE_GOLDEN) await writeFile(file, text)
    t.equal(text, await readFile(file, 'utf8'))
  })
}
