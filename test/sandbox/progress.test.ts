import t from 'tap'
import { showProgress } from '../../sandbox/progress.ts'
import { createScope } from '../../sandbox/scope.ts'
import { forecast } from '../../sandbox/step-times.ts'

const steps = ['a', 'b', 'c']
const last = { a: 1000, b: 3000, c: 4000 }

t.test('the time left, by the last start', async t => {
  t.strictSame(forecast(last, steps, 'a', 0), { share: 0, secondsLeft: 8 })
  t.strictSame(forecast(last, steps, 'b', 1000), { share: 0.25, secondsLeft: 6 })
  t.strictSame(forecast(last, steps, 'b', 60_000), { share: 0.5, secondsLeft: 4 }, 'a step that takes longer')
  t.equal(forecast({ a: 1000 }, steps, 'a', 0), undefined, 'nobody knows how long the others take')
})

const screen = (isTTY: boolean) => {
  let text = ''
  return { isTTY, write: (more: string) => { text += more }, text: () => text }
}

t.test('a file gets one line for each step', async t => {
  const { text, ...file } = screen(false)
  const progress = showProgress(file, steps, last, new AbortController().signal)
  progress.begin('a')
  progress.note('downloading')
  progress.begin('b')
  t.equal(progress.fail(), 'b')
  t.match(text(), /^ {2}downloading\n✓ a +0\.\d s\n✗ b +0\.\d s\n$/)
  t.equal(progress.fail(), undefined)
})

t.test('a terminal shows the present step, with a bar', async t => {
  const { text, ...terminal } = screen(true)
  const progress = showProgress(terminal, steps, last, new AbortController().signal)
  progress.begin('a')
  progress.begin('c')
  t.match(text(), '██████████░░░░░░░░░░ c 0.0 s, about 4 s left')
  t.strictSame(Object.keys(progress.done()), ['a', 'c'])
})

t.test('no step begins after the signal', async t => {
  const stop = new AbortController()
  const { text, ...file } = screen(false)
  const progress = showProgress(file, steps, {}, stop.signal)
  progress.begin('a')
  stop.abort(new Error('SIGINT'))
  t.throws(() => { progress.begin('b') }, { message: 'SIGINT' })
  t.equal(progress.fail(), 'a')
  t.notMatch(text(), 'b')
})

t.test('what is undone, latest first; a failure keeps nothing else', async t => {
  const scope = createScope()
  const undone: number[] = []
  scope.teardown(() => { undone.push(1) })
  scope.teardown(() => { throw new Error('mounted') })
  scope.teardown(async () => { undone.push(3) })
  await scope.close()
  t.strictSame(undone, [3, 1])
  t.match(scope.failures, [{ message: 'mounted' }])
  scope.teardown(() => { undone.push(4) })
  await scope.close()
  t.strictSame(undone, [3, 1, 4], 'what came later')
})
