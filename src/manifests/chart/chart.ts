import { parseDocument, type YAMLMap } from 'yaml'
import { imageTag, name } from '../install/installation.ts'
import { version } from '../../version.ts'
import { generatedYaml } from '../yaml.ts'
import { templates } from './templates.ts'
import { defaultValues, listedValues, valuesSchema } from './values.ts'

const folder = 'manifests/chart'

const chart = {
  apiVersion: 'v2',
  name,
  description: 'Kubernetes operator and admission webhook for DittoFS',
  type: 'application',
  version,
  appVersion: imageTag,
  kubeVersion: '>=1.30.0-0',
}

/** The defaults, each below its description. */
function valuesFile (): string {
  const document = parseDocument(generatedYaml(defaultValues))
  for (const { path, description } of listedValues) {
    const map = document.getIn(path.slice(0, -1)) as YAMLMap | undefined
    const holder = path.length === 1 ? document.contents as YAMLMap : map
    const pair = holder?.items.find(({ key }) => String(key) === path.at(-1))
    if (pair) (pair.key as { commentBefore?: string }).commentBefore = ` ${description}`
  }
  return document.toString({ lineWidth: 0 })
}

export const chartFiles = (): Record<string, string> => ({
  [`${folder}/Chart.yaml`]: generatedYaml(chart),
  [`${folder}/values.yaml`]: valuesFile(),
  [`${folder}/values.schema.json`]: `${JSON.stringify(valuesSchema, undefined, 2)}\n`,
  ...Object.fromEntries(Object.entries(templates()).map(([file, content]) => [`${folder}/templates/${file}`, content])),
})
