import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import fc from 'fast-check'
import t from 'tap'
import { compiledValidators } from '../../.config/compiled-validators.ts'
import { readDittoServer } from '../../src/dittoserver/dittoserver.ts'
import { objectSchema } from '../../src/dittoserver/object-schema.ts'
import { nearlyFitting } from './nearly-fitting.ts'

t.test('the validators in the bundle find the same errors as those that are compiled at run time', async t => {
  const outfile = join(t.testdir(), 'dittoserver.mjs')
  await build({
    entryPoints: ['src/dittoserver/dittoserver.ts'], outfile, bundle: true, platform: 'node', format: 'esm', plugins: [compiledValidators], logLevel: 'warning',
  })
  t.notMatch(await readFile(outfile, 'utf8'), 'ajv/dist/core', 'without ajv')
  const bundled = await import(pathToFileURL(outfile).href) as { readDittoServer: typeof readDittoServer }

  let broken = 0
  fc.assert(fc.property(nearlyFitting(objectSchema), value => {
    const { errors, server } = readDittoServer(value)
    const found = bundled.readDittoServer(value)
    if (errors.length > 0) broken++
    if (JSON.stringify([errors, server]) !== JSON.stringify([found.errors, found.server])) {
      throw new Error(`${JSON.stringify(found.errors)} instead of ${JSON.stringify(errors)}`)
    }
  }), { numRuns: 2_000 })
  t.ok(broken > 300, `${broken} of 2,000 did not fit the schema`)
})
