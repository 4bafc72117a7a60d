import type { Test } from 'tap'

/** Something that a test needs is not on this machine: the test is skipped, with how to get it. CI takes that for a failure. */
export function skipOrFail (t: Test, reason: string): undefined {
  if (process.env.CI === 'true') t.fail(reason)
  else t.plan(0, reason)
  return undefined
}
