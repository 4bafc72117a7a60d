import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import t, { type Test } from 'tap'
import type { Page } from 'playwright-core'
import { browserOrSkip, open, replace, servePlayground } from './browser.ts'

// axe looks at every pane, in both themes: https://github.com/dequelabs/axe-core

interface Finding {
  readonly id: string
  readonly impact: string
  readonly nodes: readonly { readonly html: string, readonly failureSummary: string }[]
}

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** All default rules of axe: WCAG 2.2 AA, and best practices. */
async function findings (page: Page): Promise<readonly Finding[]> {
  return await page.evaluate<readonly Finding[]>("axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations)")
}

async function isAccessible (t: Test, page: Page, what: string): Promise<void> {
  const found = await findings(page)
  t.strictSame(found.map(({ id, impact, nodes }) => [id, impact, ...nodes.map(({ html, failureSummary }) => `${html}: ${failureSummary}`)]), [], what)
}

const browser = await browserOrSkip(t)
if (browser) {
  const server = await servePlayground(t)
  for (const colorScheme of ['light', 'dark'] as const) {
    await t.test(colorScheme, async t => {
      const { page, faults } = await open(t, browser, server.url, { colorScheme })
      await page.evaluate(axe)
      await isAccessible(t, page, 'allowed')
      await page.getByLabel('Sample').selectOption('mistakes')
      await page.locator('.banner.bad').waitFor()
      for (const name of ['Verdict', 'Defaulted', 'Objects', 'Picture', 'Edit effects']) {
        await page.getByRole('tab', { name }).click()
        await page.locator('[role=tabpanel]:not([hidden]) > *').first().waitFor()
        if (name === 'Objects') await page.locator('.object summary').first().click()
        await isAccessible(t, page, `refused: ${name}`)
      }
      await page.getByLabel('Sample').selectOption('production')
      await page.locator('.banner.good').waitFor()
      await page.getByRole('button', { name: 'Pin as running' }).first().click()
      await replace(page, 'cacheSize: 50Gi', 'cacheSize: 80Gi')
      await page.locator('.steps').waitFor()
      await isAccessible(t, page, 'an edit')
      await page.getByRole('tab', { name: 'Live' }).click()
      await page.locator('.reviews li').first().waitFor()
      await isAccessible(t, page, 'live')
      t.strictSame(faults, [])
    })
  }

  await t.test('with a completion and a tooltip open', async t => {
    const { page } = await open(t, browser, server.url)
    await page.evaluate(axe)
    await page.locator('.cm-content').click()
    await page.keyboard.press('Control+End')
    await page.keyboard.type('  s')
    await page.locator('.cm-tooltip-autocomplete').waitFor()
    await page.locator('.cm-completionInfo').waitFor()
    await isAccessible(t, page, 'completion')
    await page.keyboard.press('Escape')
    await page.locator('.cm-line').filter({ hasText: 'metadataSize' }).click()
    await page.keyboard.press('Control+i')
    await page.locator('.documentation').waitFor()
    await isAccessible(t, page, 'documentation')
  })

  await t.test('in a narrow window', async t => {
    const { page } = await open(t, browser, server.url, { viewport: { width: 390, height: 800 } })
    await page.evaluate(axe)
    await isAccessible(t, page, 'narrow')
  })
}
