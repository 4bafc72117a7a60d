import { readFileSync } from 'node:fs'
import { registerHooks, stripTypeScriptTypes } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { workerData, type MessagePort } from 'node:worker_threads'
import { Test, type TestOpts } from 'tap'
import type { Loaded } from './runner.ts'

// Runs test files with a mutant switched on, each time with all affected modules reloaded.

export interface Order {
  /** Undefined: the tests without a mutant, to record which mutants they reach. */
  readonly mutant: string | undefined
  readonly tests: readonly string[]
}

/** Said before each test file, since a file that hangs is not waited for. */
export interface Began { readonly began: string }

export interface Answer {
  readonly mutant: string | undefined
  /** The test file that failed, and why. */
  readonly killed: { readonly by: string, readonly why: string } | undefined
  /** The mutants that were reached, by test file. */
  readonly covered: ReadonlyMap<string, readonly string[]>
}

/** tap uses the port of the parent, so this worker has its own. */
interface Data extends Loaded { readonly port: MessagePort }
/** `mostHits`: more often than this no loop of the tests is run through. */
const { sources, fresh, mostHits = 200_000, port } = workerData as Data

interface Namespace {
  activeMutant?: string | undefined
  currentTestId?: string | undefined
  mutantCoverage?: Coverage | undefined
  hitCount?: number
  hitLimit?: number
}
interface Coverage { static: Record<string, number>, perTest: Record<string, Record<string, number>> }
const scope = globalThis as unknown as { __stryker__: Namespace, mutationRoot: Test }
const state: Namespace = scope.__stryker__ = {}

const root = `${process.cwd()}/`
const rootUrl = pathToFileURL(root).href
const standIn = new URL('tap.ts', import.meta.url).href
const texts = new Map<string, string>()
let run = 0

/** Within the project: its path there. */
const pathOf = (url: string) =>
  url.startsWith(rootUrl) && !url.includes('/node_modules/') ? fileURLToPath(url.replace(/\?.*$/, '')).slice(root.length) : undefined

function sourceOf (path: string): string {
  const text = sources.get(path) ?? texts.get(path) ?? stripTypeScriptTypes(readFileSync(path, 'utf8'))
  texts.set(path, text)
  return text
}

registerHooks({
  resolve: (specifier, context, next) => {
    const importer = context.parentURL === undefined ? undefined : pathOf(context.parentURL)
    if (specifier === 'tap' && importer !== undefined) return { url: `${standIn}?run=${run}&of=${importer}`, format: 'module', shortCircuit: true }
    const resolved = next(specifier, context)
    const path = pathOf(resolved.url)
    return path !== undefined && fresh.has(path) ? { ...resolved, url: `${resolved.url.replace(/\?.*$/, '')}?run=${run}` } : resolved
  },
  load: (url, context, next) => {
    const path = pathOf(url)
    return path?.endsWith('.ts') ? { format: 'module', source: sourceOf(path), shortCircuit: true } : next(url, context)
  },
})

const errors: unknown[] = []
process.on('uncaughtException', error => { errors.push(error) })
process.on('unhandledRejection', error => { errors.push(error) })

/** Undefined: it passes. */
async function failureOf (file: string): Promise<string | undefined> {
  const root = scope.mutationRoot = new Test({ name: file, bail: true, jobs: 1 } as TestOpts) as Test
  let failure: string | undefined
  root.on('bailout', (reason: unknown) => { failure ??= String(reason ?? 'bailed out') })
  root.resume()
  const failed = new Promise<void>(resolve => { root.on('bailout', () => { resolve() }) })
  const done = (async () => {
    await import(`${rootUrl}${file}?run=${run}`)
    if (!root.ended) root.end()
    await root.concat().catch(() => {})
  })()
  await Promise.race([failed, done.catch((error: unknown) => { failure ??= String(error) })])
  await new Promise(resolve => { setImmediate(resolve) })
  const [error] = errors.splice(0)
  return failure ?? (error === undefined ? undefined : String(error)) ?? (root.results?.ok === false ? 'failed' : undefined)
}

async function carryOut ({ mutant, tests }: Order): Promise<Answer> {
  run++
  Object.assign(state, {
    activeMutant: mutant, mutantCoverage: { static: {}, perTest: {} }, hitCount: mutant === undefined ? undefined : 0, hitLimit: mostHits,
  })
  const covered = new Map<string, readonly string[]>()
  let killed: Answer['killed']
  for (const file of tests) {
    if (mutant === undefined) run++
    state.currentTestId = file
    port.postMessage({ began: file } satisfies Began)
    const why = await failureOf(file)
    covered.set(file, Object.keys({ ...state.mutantCoverage?.static, ...state.mutantCoverage?.perTest[file] }))
    if (why === undefined) continue
    killed = { by: file, why }
    break
  }
  return { mutant, killed, covered }
}

let work = Promise.resolve()
port.on('message', (order: Order) => {
  work = work.then(async () => { port.postMessage(await carryOut(order)) })
})
