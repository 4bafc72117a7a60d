import { defaultPolicy, isEnforcedBySchema } from '../../src/rules/policy.ts'
import { judge, prepare } from '../../src/rules/judge.ts'
import { noFacts } from '../../src/rules/facts.ts'
import { rules } from '../../src/rules/table.ts'

// Compares the verdict of the rules offline with that of the API server.

const enforced = rules.filter(isEnforcedBySchema)

export interface Opinion { readonly allowed: boolean, readonly why: string }

/** By the rules that the CustomResourceDefinition carries as well. */
export function offline (object: unknown, oldObject?: unknown): Opinion {
  const request = oldObject ? { operation: 'UPDATE', object, oldObject } as const : { operation: 'CREATE', object } as const
  const { allowed, errors } = judge(prepare(request, defaultPolicy, enforced), noFacts)
  return { allowed, why: errors.map(({ field, detail }) => `${field}: ${detail}`).join('; ') }
}

const told = ({ allowed, why }: Opinion) => allowed ? 'allows' : `denies (${why})`

export const disagreement = (object: unknown, ours: Opinion, theirs: Opinion) =>
  `offline ${told(ours)}, the API server ${told(theirs)}: ${JSON.stringify(object).slice(0, 1500)}`

interface Parts { readonly storage?: object, readonly percona?: object, readonly database?: object }

/** Two unrelated specs are hardly ever a legal change, so one is put together of parts of both: fewer or more of them. */
export function mix (before: Parts, after: Parts, index: number): object {
  const { storage, percona, database } = before
  const backend = { ...(percona ? { percona } : {}), ...(database ? { database } : {}) }
  const { percona: _, database: __, ...rest } = after
  if (index % 4 === 0) return { ...rest, ...backend, storage }
  if (index % 4 === 1) return { ...rest, ...backend, storage: { ...storage, ...after.storage } }
  if (index % 4 === 2) return { ...before, ...after, storage }
  return after
}

/** Sixteen at a time. */
export async function each<Item> (items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const queue = [...items]
  await Promise.all(Array.from({ length: 16 }, async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item)
  }))
}
