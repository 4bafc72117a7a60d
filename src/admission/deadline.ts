/**
 * A webhook configuration allows 1 to 30 s and defaults to 10 s; the API server says in `?timeout=` how long it waits.
 * An answer that comes later is lost and the request falls to the failurePolicy, so lookups get 80 % of it, and never
 * more than 5 s: a person is waiting at a terminal.
 */
const defaultTimeout = 10_000
const share = 0.8
const longestBudget = 5_000
const shortestBudget = 50

/** Milliseconds that the lookups of one review may take in all. `timeout` is a Go duration in seconds or milliseconds. */
export function lookupBudget (timeout: unknown): number {
  const match = typeof timeout === 'string' ? /^([0-9]+(?:\.[0-9]+)?)(ms|s|m)$/.exec(timeout) : null
  const scale = { ms: 1, s: 1_000, m: 60_000 }[match?.[2] as 'ms' | 's' | 'm'] ?? 0
  const allowed = match ? Number(match[1]) * scale : defaultTimeout
  return Math.max(shortestBudget, Math.min(longestBudget, allowed * share))
}
