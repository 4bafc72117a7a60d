import { readFileSync } from 'node:fs'
import t from 'tap'
import { steps } from '../../src/doctor/steps.ts'

t.test('the page on troubleshooting has every step, in its order', async t => {
  const page = readFileSync(new URL('../../docs/troubleshooting.md', import.meta.url), 'utf8')
  const [, table = ''] = /\| Step \| What it checks \|\n\|---\|---\|\n((?:\|.*\n)+)/.exec(page) ?? []
  t.equal(table, steps.map(({ title, looksAt }) => `| ${title} | ${looksAt} |\n`).join(''))
})
