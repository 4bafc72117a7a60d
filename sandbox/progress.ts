import { forecast, type StepTimes } from './step-times.ts'

/** Where progress is shown. */
export interface Screen {
  readonly isTTY?: boolean
  readonly write: (text: string) => unknown
}

const width = 20
const redrawEvery = 200
const clearLine = '\r\u001B[2K'

const bar = (share: number) => `${'█'.repeat(Math.round(share * width)).padEnd(width, '░')}`
const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`

/**
 * The steps of a start, one after the other: each that is done gets a line with the time that it took. On a terminal there is a line for
 * the current one, with a bar. The time left is shown only if the last start is known.
 */
export function showProgress (screen: Screen, steps: readonly string[], last: StepTimes, signal: AbortSignal) {
  const times: Record<string, number> = {}
  const longest = Math.max(...steps.map(step => step.length))
  let current: { step: string, began: number } | undefined
  let timer: NodeJS.Timeout | undefined
  const erase = () => { if (screen.isTTY) screen.write(clearLine) }
  const draw = () => {
    if (!current || !screen.isTTY) return
    const elapsed = performance.now() - current.began
    const known = forecast(last, steps, current.step, elapsed)
    const share = known?.share ?? steps.indexOf(current.step) / steps.length
    const left = known ? `, about ${known.secondsLeft} s left` : ''
    screen.write(`${clearLine}${bar(share)} ${current.step} ${seconds(elapsed)}${left}`)
  }
  const end = (mark: string) => {
    clearInterval(timer)
    erase()
    if (!current) return
    const took = performance.now() - current.began
    times[current.step] = took
    screen.write(`${mark} ${current.step.padEnd(longest)} ${seconds(took).padStart(7)}\n`)
    current = undefined
  }
  return {
    /** Ends the step before it. @throws {Stopped} after the signal */
    begin: (step: string) => {
      signal.throwIfAborted()
      if (current?.step === step) return
      end('✓')
      current = { step, began: performance.now() }
      timer = setInterval(draw, redrawEvery)
      draw()
    },
    /** The current step did not succeed. Its name, if there was one. */
    fail: () => {
      const step = current?.step
      end('✗')
      return step
    },
    /** A line about the current step. */
    note: (line: string) => {
      erase()
      screen.write(`  ${line}\n`)
      draw()
    },
    done: (): StepTimes => {
      end('✓')
      return times
    },
  }
}

export type Progress = ReturnType<typeof showProgress>
