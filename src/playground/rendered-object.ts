import { stringify } from 'yaml'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { isObject } from '../dittoserver/structural.ts'
import type { RenderedObject } from './contract.ts'

/** An object as YAML. Values of Secrets never leave the process, not even to the loopback interface. */
export function renderedObject (object: KubernetesObject): RenderedObject {
  const { kind, metadata: { name } } = object
  return { kind, name, yaml: stringify(kind === 'Secret' ? withoutValues(object) : object, { lineWidth: 0, aliasDuplicateObjects: false }) }
}

export const hidden = '(not shown)'

const withoutValues = (secret: KubernetesObject): KubernetesObject => ({
  ...secret,
  ...Object.fromEntries(['data', 'stringData'].flatMap(field => {
    const values = secret[field]
    return isObject(values) ? [[field, Object.fromEntries(Object.keys(values).map(key => [key, hidden]))]] : []
  })),
})
