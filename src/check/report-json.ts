import { exitCodeOf, type Remark, type Report } from './result.ts'

/** For programs: every finding with its field and its line. `allowed` matches the exit code. */
export function reportJson (report: Report): string {
  return `${JSON.stringify({
    allowed: exitCodeOf(report) === 0,
    warningsAsErrors: report.warningsAsErrors,
    skippedRules: report.skippedRules,
    items: report.results.map(({ source, line, namespace, name, allowed, errors, warnings }) => ({
      source, line, namespace, name, allowed, errors: errors.map(entry), warnings: warnings.map(entry),
    })),
  }, undefined, 2)}\n`
}

/** The message quotes the value that was found, shortened; the value itself may be megabytes long. */
const entry = ({ rule, severity, field, problem, detail, line, message }: Remark) =>
  ({ rule, severity, field, problem, detail, line, message })
