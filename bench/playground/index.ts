import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { browserIfThere, open, servePlayground, write } from '../../test/playground/browser.ts'
import { keystrokes, longDocument } from '../../test/playground/keystrokes.ts'
import { median, quantile, report } from '../figures.ts'

/**
 * The time from a keystroke to the verdict on 200 lines, in a real Chromium. Baseline: a text field that sends the same text to a bare
 * node:http server, which parses it and sends it back.
 * usage: node bench/playground/index.ts [keystrokes]
 */
const [count = 100] = process.argv.slice(2).map(Number)

const barePage = `<!doctype html><textarea rows="40" cols="120" autofocus></textarea><pre></pre><script>
const field = document.querySelector('textarea')
field.addEventListener('input', async () => {
  const reply = await fetch('/', { method: 'POST', body: JSON.stringify({ text: field.value }) })
  document.querySelector('pre').textContent = (await reply.json()).text
  performance.clearMarks()
  performance.mark('verdict')
})
</script>`

async function startBareServer (t: Pick<Test, 'teardown'>): Promise<string> {
  const server = createServer((request, response) => {
    if (request.method === 'GET') response.setHeader('content-type', 'text/html').end(barePage)
    else void text(request).then(body => response.setHeader('content-type', 'application/json').end(JSON.stringify(JSON.parse(body))))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.close() })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const work: (() => unknown)[] = []
const folder = await mkdtemp(join(tmpdir(), 'bench-playground-'))
const t = {
  teardown: (last: () => unknown) => { work.push(last) },
  testdir: () => folder,
} as unknown as Pick<Test, 'teardown' | 'testdir'>
t.teardown(async () => { await rm(folder, { recursive: true }) })

async function playground (): Promise<void> {
  const browser = await browserIfThere(t)
  if (!browser) return void process.stdout.write('no chromium: not measured\n')
  const document = await longDocument()

  const bare = await browser.newPage()
  await bare.goto(await startBareServer(t))
  await bare.locator('textarea').fill(document)
  await bare.locator('textarea').focus()
  const { page } = await open(t, browser, (await servePlayground(t)).url)
  await write(page, document)
  await page.locator('.banner').filter({ hasText: 'Allowed 2 servers' }).waitFor()
  await page.keyboard.press('Control+Home')
  await page.keyboard.press('End')

  const [subject, baseline]: [number[], number[]] = [[], []]
  await keystrokes(page, 10)
  // In turns, so that both see the same disturbances.
  for (let turn = 0; turn < 10; turn++) {
    await bare.bringToFront()
    baseline.push(...await keystrokes(bare, Math.ceil(count / 10)))
    await page.bringToFront()
    subject.push(...await keystrokes(page, Math.ceil(count / 10)))
  }
  report([
    { what: 'keystroke to verdict, 200 lines, median', value: median(subject), unit: 'ms', goal: 50 },
    { what: 'the same, 9 of 10', value: quantile(subject, 0.9), unit: 'ms', goal: 50 },
    { what: 'the same, beside a bare page', value: median(subject), unit: 'ms', baseline: { what: 'bare page and server', value: median(baseline) } },
  ])
}

try {
  await playground()
} finally {
  for (const last of work.toReversed()) await last()
}
