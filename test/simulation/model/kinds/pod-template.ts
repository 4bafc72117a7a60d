import { wrong } from '../errors.ts'
import type { Cause } from '../kind.ts'
import { canonicalQuantity } from '../quantity.ts'
import { parseQuantity } from '../../../../src/dittoserver/quantity.ts'
import { at, isTree, type Tree } from '../tree.ts'
import type { ShapeTable } from '../shape.ts'

// The parts of a pod template that the operator renders.

const container: ShapeTable = {
  ports: ['containerPort', 'protocol'],
  env: ['name'],
  volumeMounts: ['mountPath'],
  'resources.limits': 'map',
  'resources.requests': 'map',
  'resources.claims': ['name'],
  'env.[].valueFrom.secretKeyRef': 'atomic',
  'env.[].valueFrom.configMapKeyRef': 'atomic',
  'env.[].valueFrom.fieldRef': 'atomic',
}

const under = (prefix: string, table: ShapeTable): ShapeTable => Object.fromEntries(Object.entries(table).map(([path, own]) => [`${prefix}.${path}`, own]))

export const podTemplateShape = (prefix: string): ShapeTable => under(prefix, {
  'metadata.labels': 'map',
  'metadata.annotations': 'map',
  'spec.containers': ['name'],
  'spec.initContainers': ['name'],
  'spec.volumes': ['name'],
  'spec.nodeSelector': 'atomic',
  'spec.imagePullSecrets': ['name'],
  ...under('spec.containers.[]', container),
  ...under('spec.initContainers.[]', container),
})

const list = (value: unknown): Tree[] => Array.isArray(value) ? value.filter(isTree) : []

/** A copy with some fields filled in where they are absent. */
const filled = (object: Tree, defaults: Tree): Tree => ({ ...defaults, ...object })

const defaultProbe = (probe: unknown) => isTree(probe)
  ? filled({
    ...probe,
    ...(isTree(probe.httpGet) ? { httpGet: filled(probe.httpGet, { path: '/', scheme: 'HTTP' }) } : {}),
  }, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 })
  : probe

const quantities = (value: unknown) => isTree(value)
  ? Object.fromEntries(Object.entries(value).map(([name, quantity]) => [name, canonicalQuantity(quantity)]))
  : value

const has = (object: Tree, key: string, value: unknown): Tree => object[key] === undefined ? {} : { [key]: value }

function defaultContainer (container: Tree): Tree {
  const image = String(container.image ?? '')
  const tag = /:([^/:]+)$/.exec(image)?.[1]
  const resources = isTree(container.resources) ? container.resources : {}
  const lists = Object.fromEntries(['env', 'volumeMounts', 'args', 'command'].filter(key => Array.isArray(container[key]) && (container[key] as unknown[]).length === 0).map(key => [key, undefined]))
  return JSON.parse(JSON.stringify({
    ...filled(container, {
      terminationMessagePath: '/dev/termination-log',
      terminationMessagePolicy: 'File',
      imagePullPolicy: image.includes('@') || (tag !== undefined && tag !== 'latest') ? 'IfNotPresent' : 'Always',
    }),
    ...lists,
    resources: { ...resources, ...has(resources, 'limits', quantities(resources.limits)), ...has(resources, 'requests', quantities(resources.requests)) },
    ...has(container, 'ports', list(container.ports).map(port => filled(port, { protocol: 'TCP' }))),
    ...Object.fromEntries(['startupProbe', 'livenessProbe', 'readinessProbe'].flatMap(key => container[key] === undefined ? [] : [[key, defaultProbe(container[key])]])),
  })) as Tree
}

function defaultVolume (volume: Tree): Tree {
  const sources = ['configMap', 'secret'].flatMap(key => isTree(volume[key]) ? [[key, filled(volume[key] as Tree, { defaultMode: 420 })]] : [])
  return { ...volume, ...Object.fromEntries(sources) as Tree }
}

export function defaultPodSpec (spec: Tree): Tree {
  return {
    ...filled(spec, { dnsPolicy: 'ClusterFirst', restartPolicy: 'Always', schedulerName: 'default-scheduler', terminationGracePeriodSeconds: 30, securityContext: {} }),
    ...has(spec, 'containers', list(spec.containers).map(defaultContainer)),
    ...has(spec, 'initContainers', list(spec.initContainers).map(defaultContainer)),
    ...has(spec, 'volumes', list(spec.volumes).map(defaultVolume)),
  }
}

/** The validation rules that a DittoServer can violate: https://pkg.go.dev/k8s.io/kubernetes/pkg/apis/core/validation */
export function validatePodSpec (spec: unknown, path: string, claims: readonly unknown[]): Cause[] {
  const containers = list(at(spec, 'containers'))
  if (containers.length === 0) return [wrong('FieldValueRequired', `${path}.containers`)]
  const volumes = new Set([...list(at(spec, 'volumes')).map(({ name }) => name), ...claims])
  return containers.flatMap((container, index) => {
    const unmounted = list(container.volumeMounts).flatMap(({ name }, mount) =>
      volumes.has(name) ? [] : [wrong('FieldValueNotFound', `${path}.containers[${index}].volumeMounts[${mount}].name`)])
    const [limits, requests] = [at(container, 'resources', 'limits'), at(container, 'resources', 'requests')]
    const field = `${path}.containers[${index}].resources`
    const negative = (which: string, values: unknown) => Object.entries(isTree(values) ? values : {})
      .filter(([, quantity]) => (parseQuantity(String(quantity)) ?? 0n) < 0n)
      .map(([name]) => wrong('FieldValueInvalid', `${field}.${which}[${name}]`, 'must be greater than or equal to 0'))
    const beyond = Object.entries(isTree(requests) ? requests : {}).flatMap(([name, request]) => {
      const limit = at(limits, name)
      const above = limit !== undefined && (parseQuantity(String(request)) ?? 0n) > (parseQuantity(String(limit)) ?? 0n)
      return above ? [wrong('FieldValueInvalid', `${field}.requests`, `must be less than or equal to ${name} limit of ${String(limit)}`)] : []
    })
    const ports = list(container.ports).map(({ name }) => name)
    const twice = ports.flatMap((name, port) => name !== undefined && ports.indexOf(name) < port ? [wrong('FieldValueDuplicate', `${path}.containers[${index}].ports[${port}].name`)] : [])
    return [...unmounted, ...twice, ...negative('limits', limits), ...negative('requests', requests), ...beyond]
  })
}
