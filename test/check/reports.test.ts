import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import t from 'tap'
import { manifestRules } from '../../src/check/manifest-rules.ts'
import { reportJson } from '../../src/check/report-json.ts'
import { reportJUnit } from '../../src/check/report-junit.ts'
import { reportSarif } from '../../src/check/report-sarif.ts'
import { reportText } from '../../src/check/report-text.ts'
import { exitCodeOf, remark, type Report, type Result } from '../../src/check/result.ts'

const error = remark({ rule: 'SCHEMA', severity: 'deny', field: 'spec.replicas', problem: 'Invalid value', found: 9, detail: 'must be at most 1' }, 7)
const warning = remark({ rule: 'PORT-CONFLICT', severity: 'warn', field: 'spec.nfsPort', detail: 'a < b & "c"' }, 8)
const unreadable = remark({ rule: 'MANIFEST', severity: 'deny', field: '', detail: 'not a Kubernetes object' }, 3)

const result = (part: Partial<Result>): Result => ({
  file: 'dir/a b.yaml', line: 1, source: 'dir/a b.yaml', namespace: 'files', name: 'demo', allowed: true, errors: [], warnings: [], ...part,
})
const report = (results: readonly Result[], rest: Partial<Report> = {}): Report =>
  ({ results, warningsAsErrors: false, skippedRules: [], ...rest })

const passed = result({})
const warned = result({ name: 'warned', line: 5, source: 'dir/a b.yaml:5', warnings: [warning] })
const denied = result({ name: 'denied', allowed: false, errors: [error], warnings: [warning] })
const broken = result({ file: '/elsewhere/b.yaml', line: 3, source: '/elsewhere/b.yaml:3', namespace: '', name: '', allowed: false, errors: [unreadable] })
const strict = result({ name: 'strict', allowed: false, warnings: [warning] })
const all = report([passed, warned, denied, broken, strict])

t.test('exit codes', t => {
  t.equal(exitCodeOf(report([])), 2)
  t.equal(exitCodeOf(report([passed, warned])), 0)
  t.equal(exitCodeOf(report([passed, denied])), 1)
  t.end()
})

t.test('docs/check.md lists every manifest rule', t => {
  const page = readFileSync(new URL('../../docs/check.md', import.meta.url), 'utf8')
  for (const [id, { severity, summary }] of Object.entries(manifestRules)) t.match(page, `| ${id} | ${severity} | ${summary} |`)
  t.end()
})

t.test('text: the format of kubectl', t => {
  t.equal(reportText(all), `# dir/a b.yaml
dittoserver.dittofs.dittofs.com/demo allowed
# dir/a b.yaml:5
Warning: spec.nfsPort: a < b & "c" [PORT-CONFLICT]
dittoserver.dittofs.dittofs.com/warned allowed
# dir/a b.yaml
Warning: spec.nfsPort: a < b & "c" [PORT-CONFLICT]
The DittoServer "denied" is invalid: spec.replicas: Invalid value: '9': must be at most 1 [SCHEMA]
# /elsewhere/b.yaml:3
error: not a Kubernetes object [MANIFEST]
# dir/a b.yaml
Warning: spec.nfsPort: a < b & "c" [PORT-CONFLICT]
dittoserver.dittofs.dittofs.com/strict denied: warnings count as errors
`)
  t.equal(reportText(report([])), '')
  t.notMatch(reportText(report([result({ source: '\u001b[2J', name: '\u001b[2J' })])), '\u001b', 'harmless to a terminal')
  t.end()
})

t.test('JSON', t => {
  const found = JSON.parse(reportJson(all)) as { allowed: boolean, items: unknown[] }
  t.equal(found.allowed, false)
  t.strictSame(found.items[2], {
    source: 'dir/a b.yaml',
    line: 1,
    namespace: 'files',
    name: 'denied',
    allowed: false,
    errors: [{
      rule: 'SCHEMA', severity: 'deny', field: 'spec.replicas', problem: 'Invalid value', detail: 'must be at most 1', line: 7, message: "spec.replicas: Invalid value: '9': must be at most 1 [SCHEMA]",
    }],
    warnings: [{ rule: 'PORT-CONFLICT', severity: 'warn', field: 'spec.nfsPort', detail: 'a < b & "c"', line: 8, message: 'spec.nfsPort: a < b & "c" [PORT-CONFLICT]' }],
  })
  t.strictSame(JSON.parse(reportJson(report([passed], { skippedRules: ['A'], warningsAsErrors: true }))), {
    allowed: true, warningsAsErrors: true, skippedRules: ['A'], items: [{ source: 'dir/a b.yaml', line: 1, namespace: 'files', name: 'demo', allowed: true, errors: [], warnings: [] }],
  })
  t.equal((JSON.parse(reportJson(report([]))) as { allowed: boolean }).allowed, false, 'nothing was judged')
  t.ok(reportJson(report([])).endsWith('}\n'))
  t.end()
})

interface Sarif { runs: { tool: { driver: { rules: { id: string }[] } }, invocations: object[], results: { ruleIndex: number }[] }[] }

t.test('SARIF: a result for each finding, with its line', t => {
  const { runs: [run] } = JSON.parse(reportSarif(all)) as Sarif
  t.match(run, { tool: { driver: { name: 'dittofs-operator check', version: /^\d/ } }, invocations: [{ executionSuccessful: true, exitCode: 1 }] })
  const at = (uri: string, startLine: number) => ({ artifactLocation: { uri }, region: { startLine } })
  t.match(run?.results, [
    { ruleId: 'PORT-CONFLICT', level: 'warning', message: { text: warning.message }, locations: [{ physicalLocation: at('dir/a%20b.yaml', 8), logicalLocations: [{ fullyQualifiedName: 'files/warned spec.nfsPort' }] }] },
    { ruleId: 'SCHEMA', level: 'error', locations: [{ physicalLocation: at('dir/a%20b.yaml', 7) }] },
    { ruleId: 'PORT-CONFLICT' },
    { ruleId: 'MANIFEST', level: 'error', locations: [{ physicalLocation: at(pathToFileURL('/elsewhere/b.yaml').href, 3), logicalLocations: undefined }] },
    { ruleId: 'PORT-CONFLICT' },
  ])
  for (const { ruleIndex, ...found } of run?.results ?? []) t.match(found, { ruleId: run?.tool.driver.rules[ruleIndex]?.id })
  t.match((JSON.parse(reportSarif(report([]))) as Sarif).runs[0]?.invocations, [{ executionSuccessful: false, exitCode: 2 }])
  t.end()
})

t.test('JUnit is valid XML: a suite for each file, a test for each object', t => {
  const xml = reportJUnit(all)
  t.equal(XMLValidator.validate(xml), true)
  const parsed = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '', trimValues: true }).parse(xml) as object
  t.match(parsed, {
    testsuites: {
      tests: '5',
      failures: '2',
      errors: '1',
      testsuite: [
        {
          name: 'dir/a b.yaml',
          tests: '4',
          failures: '2',
          errors: '0',
          testcase: [
            { name: 'files/demo', classname: 'dir/a b.yaml', file: 'dir/a b.yaml', line: '1', failure: undefined, 'system-out': undefined },
            { name: 'files/warned', failure: undefined, 'system-out': 'line 8: spec.nfsPort: a < b & "c" [PORT-CONFLICT]' },
            { name: 'files/denied', failure: { type: 'SCHEMA', message: error.message, '#text': `line 7: ${error.message}` }, 'system-out': /PORT-CONFLICT/ },
            { name: 'files/strict', failure: { type: 'PORT-CONFLICT', message: warning.message } },
          ],
        },
        { name: '/elsewhere/b.yaml', tests: '1', failures: '0', errors: '1', testcase: { name: '/elsewhere/b.yaml:3', error: { type: 'MANIFEST', message: unreadable.message } } },
      ],
    },
  })
  const odd = reportJUnit(report([result({ file: 'a<b>&"\'\n\t\u0001\ud800\ufffe', name: '<>' })]))
  t.equal(XMLValidator.validate(odd), true)
  t.match(odd, 'classname="a&lt;b&gt;&amp;&quot;&apos;&#10;&#9;\ufffd\ufffd\ufffd"')
  t.equal(XMLValidator.validate(reportJUnit(report([]))), true)
  t.end()
})
