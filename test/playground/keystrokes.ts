import type { Page } from 'playwright-core'
import { eventually } from '../control-plane/control-plane.ts'
import { document, sample } from './surroundings.ts'

/** Two servers, and comments up to 200 lines. */
export async function longDocument (): Promise<string> {
  const annotations = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`example.com/annotation-${index}`, `value ${index}`]))
  const servers = `${await sample('production')}---\n${document({ service: { type: 'LoadBalancer', annotations } })}`
  const lines = servers.trimEnd().split('\n')
  while (lines.length < 200) lines.push(`# line ${lines.length + 1}`)
  return lines.join('\n')
}

/** Presses a key `count` times where the focus is. Resolves with the milliseconds from each to the mark `verdict` of the page. */
export async function keystrokes (page: Page, count: number): Promise<number[]> {
  await page.evaluate("addEventListener('keydown', event => { globalThis.pressed = event.timeStamp }, true)")
  const sinceKey = async () => await page.evaluate<number>("(performance.getEntriesByName('verdict')[0]?.startTime ?? 0) - globalThis.pressed")
  const times: number[] = []
  while (times.length < count) {
    await page.keyboard.press('x')
    times.push(await eventually(async () => await sinceKey().then(time => time > 0 && time), 'a verdict'))
  }
  return times
}
