import { readFile, writeFile } from 'node:fs/promises'
import fc from 'fast-check'
import t from 'tap'
import { exampleFacts, exampleServer } from '../../src/manifests/example-server.ts'
import type { Facts } from '../../src/rules/facts.ts'
import { sentence } from '../../src/rules/finding.ts'
import { judge, prepare } from '../../src/rules/judge.ts'
import type { Example } from '../../src/rules/rule.ts'
import { rules } from '../../src/rules/table.ts'
import { arbitrarySpec } from '../dittoserver/arbitrary.ts'

// Every message of admission, for review by people: without quoted values and numbers.
// UPDATE_GOLDEN=1 npm test -- test/rules/sentences.test.ts

const file = new URL('sentences.txt', import.meta.url)
/** In characters: a terminal shows it on one line or two. */
const longest = 120

const said = new Map<string, string>()

function listen (object: unknown, oldObject: unknown, facts: Facts): void {
  const { errors, warnings } = judge(prepare(oldObject ? { operation: 'UPDATE', object, oldObject } : { operation: 'CREATE', object }), facts)
  for (const finding of [...errors, ...warnings]) {
    const text = sentence(finding)
    const template = text.replace(/'[^']*'/g, '…').replace(/\d{2,}/g, 'N')
    if (!said.has(template)) said.set(template, text)
  }
}

for (const { example } of rules) {
  listen(exampleServer(example.spec, example.name), example.oldSpec && exampleServer(example.oldSpec), exampleFacts(example.cluster))
}

const clusters: Example['cluster'][] = [
  { percona: '2.9.0' },
  { away: 'timed out' },
  {
    percona: '2.7.0',
    storageClasses: [{ name: 'standard', isDefault: true, allowVolumeExpansion: false }],
    secrets: { secret: { key: 5, 'a.b_c-d': 0 } },
    perconaClusters: { 'demo-postgres': 16 },
  },
]
const facts = clusters.map(exampleFacts)
const specs = fc.sample(arbitrarySpec, { numRuns: 3_000, seed: 20_260_606 }).map(spec => JSON.parse(JSON.stringify(spec)) as object)
for (const [index, spec] of specs.entries()) {
  const before = index % 3 === 0 ? undefined : { metadata: { name: 'demo' }, spec: specs[(index * 7 + 3) % specs.length] }
  listen({ metadata: { name: 'demo' }, spec }, before, facts[index % facts.length] ?? exampleFacts(undefined))
}

const golden = `${[...said.keys()].toSorted().join('\n')}\n`
if (process.env.UPDATE_GOLDEN) await writeFile(file, golden)

t.equal(golden, await readFile(file, 'utf8'))
for (const { id } of rules) t.ok(golden.includes(`[${id}]`), id)
for (const [template, text] of said) {
  if (!template.includes('…')) t.ok(text.length <= longest, `${text.length} characters: ${text}`)
}
