/**
 * A webhook configuration allows a timeout of 1 to 30 s, 10 s by default. The API server sends it in `?timeout=`. A later answer is
 * ignored, and the failurePolicy applies. So lookups get 80 % of the timeout, and at most 5 s, because a person waits at a terminal.
 */
const defaultTimeout = 10_000
const share = 0.8
const longestBudget = 5_000
const shortestBudget = 50

/** Milliseconds for all lookups of one review. `timeout` is a Go duration in seconds or milliseconds. */
export function lookupBudget (timeout: unknown): number {
  const match = typeof timeout === 'string' ? /^([0-9]+(?:\.[0-9]+)?)(ms|s|m)$/.exec(timeout) : null
  const scale = { ms: 1, s: 1_000, m: 60_000 }[match?.[2] as 'ms' | 's' | 'm'] ?? 0
  const allowed = match ? Number(match[1]) * scale : defaultTimeout
  return Math.max(shortestBudget, Math.min(longestBudget, allowed * share))
}
