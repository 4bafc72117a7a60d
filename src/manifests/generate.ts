import { glob, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { alertsPage } from './alerts-page.ts'
import { chartFiles } from './chart/chart.ts'
import { customResourceDefinition } from './crd.ts'
import { kustomizeFiles } from './install/kustomize.ts'
import { jsonSchema, schemaFile } from './json-schema.ts'
import { metricsPage } from './metrics-page.ts'
import { action, preCommitHooks } from './pipelines.ts'
import { referencePage } from './reference.ts'
import { rulesPage } from './rules-page.ts'
import { valuesPage } from './values-page.ts'
import { webhookConfigurations } from './webhooks.ts'
import { generatedYaml } from './yaml.ts'

/** All generated files, by path from the root of the project. */
export const generatedFiles = (): Record<string, string> => ({
  'manifests/crd.yaml': generatedYaml(customResourceDefinition()),
  'manifests/webhooks.yaml': generatedYaml(...webhookConfigurations()),
  [`manifests/schema/${schemaFile}`]: `${JSON.stringify(jsonSchema(), undefined, 2)}\n`,
  '.pre-commit-hooks.yaml': generatedYaml(preCommitHooks()),
  'action.yml': generatedYaml(action()),
  ...kustomizeFiles(),
  ...chartFiles(),
  'docs/alerts.md': alertsPage(),
  'docs/metrics.md': metricsPage(),
  'docs/reference.md': referencePage(),
  'docs/rules.md': rulesPage(),
  'docs/values.md': valuesPage(),
})

const root = new URL('../../', import.meta.url)

/** Folders that contain only generated files. */
const folders = ['default', 'components', 'overlays', 'chart', 'schema'].map(folder => `manifests/${folder}/**/*.{yaml,json,tpl,txt}`)

/** Files that are no longer generated. */
async function leftFiles (): Promise<string[]> {
  const wanted = generatedFiles()
  const left: string[] = []
  for await (const path of glob(folders, { cwd: root })) if (!(path in wanted)) left.push(path)
  return left
}

/** The generated files whose content is outdated. */
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
