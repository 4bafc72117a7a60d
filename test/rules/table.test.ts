import t from 'tap'
import { sentence } from '../../src/rules/finding.ts'
import { exampleFacts, exampleServer } from '../../src/manifests/example-server.ts'
import { exampleFindings } from '../../src/manifests/rules-page.ts'
import { judge, prepare } from '../../src/rules/judge.ts'
import { rules } from '../../src/rules/table.ts'

t.test('the minimal server has no finding', async t => {
  const prepared = prepare({ operation: 'CREATE', object: exampleServer() })
  t.strictSame(judge(prepared, exampleFacts()), { allowed: true, errors: [], warnings: [] })
})

t.test('rule IDs are unique and have the same format', async t => {
  const ids = rules.map(({ id }) => id)
  t.strictSame([...new Set(ids)], ids)
  for (const id of ids) t.match(id, /^[A-Z0-9]+(-[A-Z0-9]+)*$/)
})

for (const rule of rules) {
  t.test(`${rule.id} speaks of its example`, async t => {
    const findings = exampleFindings(rule)
    for (const finding of findings) {
      t.equal(finding.severity, rule.severity)
      const text = sentence(finding)
      t.ok(text.startsWith(`${finding.field}: `), 'the field path comes first')
      t.ok(text.endsWith(`[${rule.id}]`), 'the rule id comes last')
      t.notMatch(text, /undefined|\[object|NaN/)
      if (rule.severity === 'warn') t.ok([...text].length <= 160, `${[...text].length} characters`)
    }
  })
}

t.test('a rule that compares states has no finding for a new object', async t => {
  const facts = exampleFacts({ storageClasses: [{ name: 'fixed', isDefault: true, allowVolumeExpansion: false }] })
  for (const rule of rules) {
    if (rule.operations?.includes('CREATE') ?? true) continue
    const { spec, oldSpec, name } = rule.example
    for (const each of [spec, oldSpec]) {
      const { reading: { server } } = prepare({ operation: 'CREATE', object: exampleServer(each, name) })
      t.strictSame(rule.judge({ server, facts, unverified: [] }), [], rule.id)
    }
  }
})

t.test('a rule that needs the cluster declares its needs', async t => {
  for (const rule of rules) {
    const asked: string[] = []
    const spy = new Proxy(exampleFacts(rule.example.cluster), {
      get (target, key: 'secret' | 'storageClass') {
        asked.push(key)
        return target[key]
      },
    })
    const { spec, oldSpec, name } = rule.example
    const prepared = prepare({ operation: oldSpec ? 'UPDATE' : 'CREATE', object: exampleServer(spec, name), oldObject: exampleServer(oldSpec, name) })
    rule.judge({ server: prepared.reading.server, facts: spy, unverified: [], ...(prepared.old ? { old: prepared.old.server } : {}) })
    t.equal(asked.length > 0, rule.needs !== undefined, rule.id)
  }
})
