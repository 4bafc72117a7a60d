import type { Test } from 'tap'

/** Says how long each step took, and all of them together. Seconds. */
export function stopwatch (t: Pick<Test, 'comment'>) {
  const began = performance.now()
  let last = began
  const seconds = (since: number) => ((performance.now() - since) / 1000).toFixed(1)
  return {
    lap: (step: string) => {
      t.comment(`${seconds(last)} s: ${step}`)
      last = performance.now()
    },
    total: (what: string) => { t.comment(`${seconds(began)} s in all: ${what}`) },
  }
}
