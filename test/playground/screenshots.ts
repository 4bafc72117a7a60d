import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { chromium, type Page } from 'playwright-core'
import pino from 'pino'
import { findProgram } from '../control-plane/find-program.ts'
import { ReviewFeed } from '../../src/playground/review-feed.ts'
import { startPlayground } from '../../src/playground/start.ts'
import { replace } from './browser.ts'
import { clusterOf } from './surroundings.ts'

// `node test/playground/screenshots.ts`: takes the pictures of docs/playground.md again. Needs chromium and pngquant.

const folder = fileURLToPath(new URL('../../docs/images/', import.meta.url))

type Scene = (page: Page) => Promise<unknown>

const tab = async (page: Page, name: string) => { await page.getByRole('tab', { name }).click() }
const sample = async (page: Page, name: string, tone: string) => {
  await page.getByLabel('Sample').selectOption(name)
  await page.locator(`.banner.${tone}`).filter({ hasText: name === 'mistakes' ? '2 servers' : name }).waitFor()
}

const scenes: readonly { readonly name: string, readonly colorScheme: 'light' | 'dark', readonly scene: Scene }[] = [
  {
    name: 'playground-light',
    colorScheme: 'light',
    scene: async page => {
      await sample(page, 'production', 'good')
      await tab(page, 'Picture')
      await page.locator('svg.picture').waitFor()
    },
  },
  {
    name: 'playground-dark',
    colorScheme: 'dark',
    scene: async page => {
      await sample(page, 's3', 'good')
      await tab(page, 'Defaulted')
      await page.locator('.added').first().waitFor()
    },
  },
  { name: 'playground-refusal', colorScheme: 'light', scene: async page => { await sample(page, 'mistakes', 'bad') } },
  {
    name: 'playground-growth',
    colorScheme: 'light',
    scene: async page => {
      await sample(page, 'production', 'good')
      await page.getByRole('button', { name: 'Pin as running' }).click()
      await replace(page, 'contentSize: 500Gi', 'contentSize: 800Gi')
      await tab(page, 'Edit effects')
      await page.getByText('grows 1 volume').waitFor()
      await page.locator('.cm-line').filter({ hasText: 'contentSize' }).click()
    },
  },
]

const executablePath = await findProgram('chromium')
if (executablePath === undefined) throw new Error('no chromium')
const playground = await startPlayground({
  ...await clusterOf(), port: 0, log: pino({ level: 'silent' }), reviews: new ReviewFeed(), servers: async () => [],
})
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
const scratch = await mkdtemp(join(tmpdir(), 'screenshots-'))
await mkdir(folder, { recursive: true })
for (const { name, colorScheme, scene } of scenes) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 760 }, deviceScaleFactor: 1.5, colorScheme })
  await page.goto(`http://localhost:${playground.port}`)
  await page.locator('.banner strong').waitFor()
  await scene(page)
  await page.evaluate('document.fonts.ready')
  // The cursor blinks.
  await page.waitForTimeout(500)
  const file = join(scratch, `${name}.png`)
  await writeFile(file, await page.screenshot())
  await promisify(execFile)('pngquant', ['--force', '--strip', '--speed', '1', '--output', join(folder, `${name}.png`), '128', file])
  await page.close()
}
await rm(scratch, { recursive: true })
await browser.close()
await playground.stop()
