import { access, constants } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { cacheRoot } from '../control-plane/binaries.ts'
import { skipOrFail } from '../control-plane/skip-or-fail.ts'
import type { Unavailable } from '../control-plane/binaries.ts'

/** A Go module, and its artifacts: programs from `go build`, and files that are copied. */
export interface Module {
  readonly module: string
  readonly programs: Readonly<Record<string, string>>
  readonly files: Readonly<Record<string, string>>
  /** Variables that the linker sets. */
  readonly variables?: Readonly<Record<string, string>>
  /** Source files in which a piece of text, which must be there once, is replaced. */
  readonly edits?: Readonly<Record<string, readonly [text: string, instead: string]>>
}

/** The real programs that read what the operator writes. */
export const modules = {
  'percona-operator-2.9.0': {
    module: 'github.com/percona/percona-postgresql-operator/v2@v2.9.0',
    programs: { 'percona-operator': './cmd/postgres-operator' },
    files: { 'percona-crds.yaml': 'deploy/crd.yaml' },
    // It listens on ports 8080 and 8081 of every address, and no flag changes that. "0" disables this. Everything else is as released.
    variables: { 'sigs.k8s.io/controller-runtime/pkg/metrics/server.DefaultBindAddress': '0' },
    edits: { 'cmd/postgres-operator/main.go': ['HealthProbeBindAddress = ":8081"', 'HealthProbeBindAddress = "0"'] },
  },
  'dittofs-0.29.0': {
    module: 'github.com/marmos91/dittofs@v0.29.0',
    programs: { dfs: './cmd/dfs', dfsctl: './cmd/dfsctl' },
    files: {},
  },
} as const satisfies Record<string, Module>

type Modules = typeof modules
export type ModuleName = keyof Modules
export type CounterpartName = { [Name in ModuleName]: keyof Modules[Name]['programs'] | keyof Modules[Name]['files'] }[ModuleName]

export const moduleNames = Object.keys(modules) as ModuleName[]
export const namesOf = (module: ModuleName) =>
  [...Object.keys(modules[module].programs), ...Object.keys(modules[module].files)] as CounterpartName[]
export const allNames = moduleNames.flatMap(namesOf)

export const counterpartsCache = () => join(cacheRoot(), 'counterparts')

type Paths<Name extends CounterpartName> = Readonly<Record<Name, string>>

/**
 * Full paths. Looks in COUNTERPARTS_ASSETS, then in the cache; all artifacts of a module come from one folder, so that they have the same
 * version.
 */
export async function findCounterparts<Name extends CounterpartName> (names: readonly Name[]): Promise<Paths<Name> | Unavailable> {
  const found: Partial<Record<CounterpartName, string>> = {}
  for (const module of moduleNames) {
    const wanted = namesOf(module).filter(name => (names as readonly CounterpartName[]).includes(name))
    const folder = await folderWith(module, wanted)
    if (folder !== undefined) for (const name of wanted) found[name] = join(folder, name)
  }
  const missing = names.filter(name => found[name] === undefined)
  return missing.length === 0
    ? found as Paths<Name>
    : { unavailable: `no ${missing.join(', ')}: \`npm run counterparts\` builds what is missing; or set COUNTERPARTS_ASSETS` }
}

async function folderWith (module: ModuleName, names: readonly CounterpartName[]): Promise<string | undefined> {
  for (const folder of [process.env.COUNTERPARTS_ASSETS, join(counterpartsCache(), module)]) {
    if (!folder) continue
    const usable = await Promise.all(names.map(async name => {
      const mode = name in modules[module].programs ? constants.X_OK : constants.R_OK
      return await access(join(folder, name), mode).then(() => true, () => false)
    }))
    if (usable.every(Boolean)) return folder
  }
  return undefined
}

/** Full paths, for a test that needs them. Where one is missing the test is skipped, with how to get it; CI takes that for a failure. */
export async function counterpartsOrSkip<Name extends CounterpartName> (
  t: Test, names: readonly Name[],
): Promise<Paths<Name> | undefined> {
  const found = await findCounterparts(names)
  return 'unavailable' in found ? skipOrFail(t, found.unavailable) : found
}
