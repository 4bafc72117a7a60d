import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import type { Test } from 'tap'
import { samples, serve } from '../command-line/program.ts'
import { findProgram } from '../control-plane/find-program.ts'
import { skipOrFail } from '../control-plane/skip-or-fail.ts'

/** A real Chromium, closed with the test. Undefined: there is none. */
export async function browserIfThere (t: Pick<Test, 'teardown'>): Promise<Browser | undefined> {
  const executablePath = await findProgram('chromium')
  if (executablePath === undefined) return undefined
  // Root may not use the sandbox of Chromium, and only pages of this project are opened.
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  t.teardown(async () => { await browser.close() })
  return browser
}

/** The same. Where there is none the test is skipped; CI takes that for a failure. */
export async function browserOrSkip (t: Test): Promise<Browser | undefined> {
  return await browserIfThere(t) ?? skipOrFail(t, 'no chromium: install it (Debian: `apt-get install chromium`), or set CHROMIUM')
}

/** The program with its page, as `npm start` serves it, on a copy of the samples. */
export async function servePlayground (t: Pick<Test, 'teardown' | 'testdir'>) {
  const cwd = t.testdir({})
  const folder = join(cwd, 'samples')
  cpSync(samples, folder, { recursive: true })
  const server = await serve(t, ['--embedded', folder, '--ui-port', '0'], { cwd })
  const [, url = ''] = await server.said(/playground on (http:\S+)/)
  await server.said(/Ctrl-C stops\.\n/)
  return { ...server, cwd, folder, url }
}

export interface Opened {
  readonly page: Page
  /** What went wrong in the browser: errors of scripts, refused connections, violations of the Content-Security-Policy. */
  readonly faults: readonly string[]
}

/** Opens the page and waits for the first verdict. */
export async function open (t: Pick<Test, 'teardown'>, browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options })
  t.teardown(async () => { await context.close() })
  const page = await context.newPage()
  const faults: string[] = []
  page.on('pageerror', error => { faults.push(error.message) })
  page.on('console', message => { if (message.type() === 'error') faults.push(message.text()) })
  await page.goto(url)
  await page.locator('.banner strong').waitFor()
  return { page, faults }
}

/** Replaces the document by typing over it. */
export async function write (page: Page, text: string): Promise<void> {
  await page.locator('.cm-content').click()
  await page.keyboard.press('Control+a')
  await page.keyboard.insertText(text)
}

/** Replaces the first occurrence of a text in the document by typing. */
export async function replace (page: Page, before: string, after: string): Promise<void> {
  const [line = ''] = await page.locator('.cm-line').filter({ hasText: before }).allTextContents()
  const target = page.locator('.cm-line').filter({ hasText: before }).first()
  await target.click()
  await page.keyboard.press('Home')
  const start = line.indexOf(before) - line.search(/\S/)
  for (let column = 0; column < start; column++) await page.keyboard.press('ArrowRight')
  for (let column = 0; column < before.length; column++) await page.keyboard.press('Shift+ArrowRight')
  await page.keyboard.insertText(after)
}
