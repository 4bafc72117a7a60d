import { glob, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { alertsPage } from './alerts-page.ts'
import { chartFiles } from './chart/chart.ts'
import { customResourceDefinition } from './crd.ts'
import { kustomizeFiles } from './install/kustomize.ts'
import { metricsPage } from './metrics-page.ts'
import { referencePage } from './reference.ts'
import { rulesPage } from './rules-page.ts'
import { webhookConfigurations } from './webhooks.ts'
import { generatedYaml } from './yaml.ts'

/** Every generated file, by its path from the root of the project. */
export const generatedFiles = (): Record<string, string> => ({
  'manifests/crd.yaml': generatedYaml(customResourceDefinition()),
  'manifests/webhooks.yaml': generatedYaml(...webhookConfigurations()),
  ...kustomizeFiles(),
  ...chartFiles(),
  'docs/alerts.md': alertsPage(),
  'docs/metrics.md': metricsPage(),
  'docs/reference.md': referencePage(),
  'docs/rules.md': rulesPage(),
})

const root = new URL('../../', import.meta.url)

/** Folders that hold nothing but what is generated. */
const folders = ['default', 'overlays', 'monitoring', 'chart'].map(folder => `manifests/${folder}/**/*.{yaml,json}`)

/** Files that were generated once and are no longer. */
async function leftFiles (): Promise<string[]> {
  const wanted = generatedFiles()
  const left: string[] = []
  for await (const path of glob(folders, { cwd: root })) if (!(path in wanted)) left.push(path)
  return left
}

/** The generated files that are not what they should be. */
export async function staleFiles (): Promise<string[]> {
  const files = await Promise.all(Object.entries(generatedFiles()).map(async ([path, content]) => {
    const committed = await readFile(new URL(path, root), 'utf8').catch(() => undefined)
    return committed === content ? [] : [path]
  }))
  return [...files.flat(), ...await leftFiles()]
}

if (import.meta.main) {
  for (const path of await leftFiles()) await rm(new URL(path, root))
  for (const [path, content] of Object.entries(generatedFiles())) {
    await mkdir(new URL('.', new URL(path, root)), { recursive: true })
    await writeFile(new URL(path, root), content)
  }
}
