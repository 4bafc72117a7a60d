import type { Remark, Report, Result } from './result.ts'

/**
 * JUnit XML, which CI servers show as tests: a suite for each file, a test for each object.
 * https://github.com/testmoapp/junitxml
 */
export function reportJUnit ({ results }: Report): string {
  const suites = Map.groupBy(results, ({ file }) => file)
  return `${[
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="dittofs-operator check" ${counts(results)}>`,
    ...[...suites].flatMap(([file, inFile]) => [`  <testsuite name=${quoted(file)} ${counts(inFile)}>`, ...inFile.flatMap(testCase), '  </testsuite>']),
    '</testsuites>',
  ].join('\n')}\n`
}

const isFailure = ({ allowed, name }: Result) => !allowed && name !== ''
const isError = ({ allowed, name }: Result) => !allowed && name === ''

const counts = (results: readonly Result[]) =>
  `tests="${results.length}" failures="${results.filter(isFailure).length}" errors="${results.filter(isError).length}"`

function testCase (result: Result): string[] {
  const { file, line, namespace, name, allowed, errors, warnings } = result
  const title = name === '' ? `${file}:${line}` : `${namespace}/${name}`
  const open = `    <testcase classname=${quoted(file)} name=${quoted(title)} file=${quoted(file)} line="${line}">`
  const element = isError(result) ? 'error' : 'failure'
  const wrong = errors.length > 0 ? errors : warnings
  return [
    open,
    ...allowed ? [] : [`      <${element} type=${quoted(wrong[0]?.rule ?? '')} message=${quoted(wrong[0]?.message ?? '')}>${textOf(wrong)}</${element}>`],
    ...warnings.length > 0 ? [`      <system-out>${textOf(warnings)}</system-out>`] : [],
    '    </testcase>',
  ]
}

const textOf = (remarks: readonly Remark[]) => remarks.map(({ line, message }) => escaped(`line ${line}: ${message}`)).join('\n')
const quoted = (text: string) => `"${escaped(text)}"`

const entities: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;', "'": '&apos;', '\n': '&#10;', '\r': '&#13;', '\t': '&#9;' }

/** Characters that XML has no way to write are replaced. https://www.w3.org/TR/xml/#charsets */
const escaped = (text: string) => text
  // eslint-disable-next-line no-control-regex -- those are the ones
  .replace(/[\0-\x08\v\f\x0e-\x1f\ud800-\udfff\ufffe\uffff]/gu, '\ufffd')
  .replace(/[<>&"'\n\r\t]/g, character => entities[character] ?? character)
