import t from 'tap'
import { lastWords, stableText } from '../../src/controller/pod-text.ts'

t.test('parts that change with each attempt are removed', async t => {
  t.equal(stableText('2026/11/23 13:56:43 listen failed'), 'listen failed')
  t.equal(stableText('time=2026-11-23T13:56:43.123+01:00 level=ERROR msg="no"'), 'level=ERROR msg="no"')
  t.equal(stableText('two\n  lines. '), 'two lines')
  t.equal(stableText('read tcp 10.0.0.1:40000->10.0.0.2:5432: reset'), 'read tcp 10.0.0.2:5432: reset')
})

t.test('passwords are removed', async t => {
  t.equal(stableText('dial postgres://me:hush@db/files: refused'), 'dial postgres://me:***@db/files: refused')
  t.equal(stableText('host=db user=me password=hush dbname=files'), 'host=db user=me password=*** dbname=files')
})

t.test('the line with the reason', async t => {
  t.equal(lastWords('Error: port 80: permission denied\nUsage:\n  dfs start [flags]\n'), 'Error: port 80: permission denied')
  t.equal(lastWords('one\ntwo\n'), 'two')
  t.equal(lastWords(''), '')
  t.equal(lastWords('{"level":"ERROR","message":"cannot start","err":"no disk"}'), 'cannot start: no disk')
  t.equal(lastWords('{"level":"ERROR","msg":"cannot'), '{"level":"ERROR","msg":"cannot')
  t.equal([...lastWords(`Error: ${'é'.repeat(1000)}`)].length, 300)
})
