import { globSync } from 'node:fs'

/** Source files that are mutated, and the tests that must notice. Globs from the root of the project. */
export interface Scope {
  readonly name: string
  readonly source: readonly string[]
  readonly tests: readonly string[]
  /** Seeds of the simulation that each mutant meets which no test noticed. */
  readonly seeds?: number
  /** How many of its mutants are tried in each run of all tests. Zero: its tests take too long for that. */
  readonly sample: number
  /** Least share of mutants that are to be noticed by the tests alone, in percent. */
  readonly threshold: number
  /** How often the tests of a file may reach one place before it counts as an endless loop. */
  readonly mostHits?: number
}

const controllerTests = ['test/controller/**/*.test.ts']

export const scopes: readonly Scope[] = [
  { name: 'plan', source: ['src/controller/plan/*.ts'], tests: controllerTests, seeds: 24, sample: 60, threshold: 90 },
  {
    name: 'writer',
    source: ['src/controller/writer.ts', 'src/controller/written-versions.ts', 'src/controller/applied-digest.ts', 'src/controller/secret-index.ts'],
    tests: controllerTests,
    seeds: 24,
    sample: 25,
    threshold: 90,
  },
  {
    name: 'caches',
    source: ['src/controller/caches.ts', 'src/controller/cached-form.ts', 'src/cluster/watch-cache.ts', 'src/cluster/object-store.ts'],
    tests: ['test/cluster/watch-cache.test.ts', 'test/cluster/object-store.test.ts', 'test/controller/caches.test.ts', 'test/controller/cached-form.test.ts'],
    seeds: 24,
    sample: 0,
    threshold: 90,
  },
  {
    name: 'election',
    source: ['src/leader-election/*.ts'],
    // Not the random histories: they take too long, and the simulation has its own.
    tests: ['leader-election', 'lease', 'takeover-and-release'].map(name => `test/leader-election/${name}.test.ts`),
    seeds: 24,
    sample: 0,
    threshold: 90,
  },
  { name: 'render', source: ['src/render/*.ts'], tests: ['test/render/*.test.ts'], sample: 25, threshold: 90 },
  {
    name: 'rules',
    source: ['src/rules/*.ts'],
    tests: ['test/rules/{boundaries,judge,table,verdicts}.test.ts', 'test/manifests/generated.test.ts'],
    sample: 0,
    threshold: 90,
  },
  {
    name: 'dittoserver',
    source: ['src/dittoserver/*.ts'],
    // Not `any-value`: it takes too long.
    tests: ['test/dittoserver/{comparison,dittoserver,ports,quote,sizes,structural,validate}.test.ts', 'test/manifests/generated.test.ts'],
    sample: 0,
    threshold: 90,
  },
  {
    name: 'admission',
    source: ['src/admission/*.ts'],
    tests: ['test/admission/{answers,body,close,failures,gather,large-bodies,last-connections,lookup-budget,mutate,server,warnings,wire}.test.ts'],
    sample: 0,
    threshold: 90,
    // Bodies are looked at byte by byte.
    mostHits: 20_000_000,
  },
  {
    name: 'embedded',
    source: ['src/embedded/*.ts'],
    tests: ['test/embedded/*.test.ts'],
    sample: 0,
    threshold: 90,
  },
]

const files = (patterns: readonly string[]) => patterns.flatMap(pattern => globSync(pattern)).sort()

export const sourceOf = ({ source }: Scope) => files(source)
export const testsOf = ({ tests }: Scope) => files(tests)
