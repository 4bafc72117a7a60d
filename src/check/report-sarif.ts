import { isAbsolute, relative, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Log, Result as SarifResult } from 'sarif'
import { documentation, repository } from '../project.ts'
import { rules } from '../rules/table.ts'
import { version } from '../version.ts'
import { manifestRules } from './manifest-rules.ts'
import { exitCodeOf, type Remark, type Report, type Result } from './result.ts'

interface Described { readonly id: string, readonly severity: 'deny' | 'warn', readonly summary: string, readonly page: string }

const described: readonly Described[] = [
  ...Object.entries(manifestRules).map(([id, rule]) => ({ id, ...rule, page: 'check.md' })),
  ...rules.map(({ id, severity, summary }) => ({ id, severity, summary, page: `rules.md#${id.toLowerCase()}` })),
]

const levels = { deny: 'error', warn: 'warning' } as const

/**
 * SARIF 2.1.0, which code hosts show at the line of the finding.
 * https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
 */
export function reportSarif (report: Report): string {
  const exitCode = exitCodeOf(report)
  const log: Log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{
      tool: {
        driver: {
          name: 'dittofs-operator check',
          version,
          informationUri: repository,
          rules: described.map(({ id, severity, summary, page }) => ({
            id, shortDescription: { text: summary }, helpUri: documentation(page), defaultConfiguration: { level: levels[severity] },
          })),
        },
      },
      invocations: [{ executionSuccessful: exitCode !== 2, exitCode }],
      results: report.results.flatMap(result => [...result.errors, ...result.warnings].map(remark => resultOf(result, remark))),
    }],
  }
  return `${JSON.stringify(log, undefined, 2)}\n`
}

function resultOf (result: Result, { rule, severity, message, line, field }: Remark): SarifResult {
  const { file, namespace, name } = result
  const object = name === '' ? '' : `${namespace}/${name}`
  return {
    ruleId: rule,
    ruleIndex: described.findIndex(({ id }) => id === rule),
    level: levels[severity],
    message: { text: message },
    locations: [{
      physicalLocation: { artifactLocation: { uri: uriOf(file) }, region: { startLine: line } },
      ...field === '' && object === '' ? {} : { logicalLocations: [{ fullyQualifiedName: [object, field].filter(Boolean).join(' ') }] },
    }],
  }
}

/** Relative to the working directory, which in CI is the root of the repository. */
function uriOf (file: string): string {
  const path = relative(process.cwd(), file)
  if (isAbsolute(path) || path.startsWith('..')) return pathToFileURL(file).href
  return path.split(sep).map(encodeURIComponent).join('/')
}
