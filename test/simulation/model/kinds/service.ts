import { wrong } from '../errors.ts'
import type { Cause, ModelKind, Surroundings } from '../kind.ts'
import { shapeOf } from '../shape.ts'
import { at, isEqual, isTree, type Tree } from '../tree.ts'

const ports = (service: unknown): Tree[] => {
  const found = at(service, 'spec', 'ports')
  return Array.isArray(found) ? found.filter(isTree) : []
}
const type = (service: unknown) => at(service, 'spec', 'type')
const isExternal = (service: unknown) => type(service) === 'NodePort' || type(service) === 'LoadBalancer'

function defaults (object: Tree): Tree {
  const spec = isTree(object.spec) ? object.spec : {}
  const whole = { ...object, spec: { type: 'ClusterIP', ...spec } }
  return {
    ...object,
    status: { loadBalancer: {}, ...(isTree(object.status) ? object.status : {}) },
    spec: {
      sessionAffinity: 'None',
      ...(type(whole) === 'ExternalName' ? {} : { internalTrafficPolicy: 'Cluster' }),
      ...(isExternal(whole) ? { externalTrafficPolicy: 'Cluster' } : {}),
      ...(type(whole) === 'LoadBalancer' ? { allocateLoadBalancerNodePorts: true } : {}),
      ...omit(whole.spec, ['ports']),
      ...(ports(object).length === 0 ? {} : { ports: ports(object).map(port => ({ targetPort: port.port, protocol: 'TCP', ...port })) }),
    },
  }
}

function withAddresses (spec: Tree, before: unknown, next: Surroundings['next']): Tree {
  const clusterIP = spec.clusterIP ?? at(before, 'clusterIP') ?? `10.96.${Math.floor(next('address') / 250)}.${next('address') % 250 + 1}`
  return { clusterIPs: [clusterIP], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack', ...(isTree(before) ? pick(before, ['clusterIPs', 'ipFamilies', 'ipFamilyPolicy']) : {}), ...spec, clusterIP }
}

const pick = (tree: Tree, keys: readonly string[]): Tree =>
  Object.fromEntries(keys.flatMap(key => tree[key] === undefined ? [] : [[key, tree[key]]]))
const omit = (tree: Tree, keys: readonly string[]): Tree => Object.fromEntries(Object.entries(tree).filter(([key]) => !keys.includes(key)))

/** Addresses and node ports, which are kept between writes; fields that a new type does not have are removed. */
function prepare (object: Tree, before: Tree | undefined, { next }: Surroundings): Tree {
  const spec = withAddresses(object.spec as Tree, at(before, 'spec'), next)
  const external = isExternal(object)
  const same = (port: Tree) => ports(before).find(old => old.port === port.port && old.protocol === port.protocol)
  const wasTaken = (port: Tree) => before && isExternal(before) && !external && same(port)?.nodePort === port.nodePort
  const numbered = ports(object).map(port => {
    if (!external) return wasTaken(port) ? omit(port, ['nodePort']) : port
    return { ...port, nodePort: port.nodePort ?? same(port)?.nodePort ?? 30_000 + next('node port') }
  })
  const left = external ? [] : ['externalTrafficPolicy', 'allocateLoadBalancerNodePorts']
  return { ...object, spec: { ...omit(spec, type(object) === 'NodePort' ? ['allocateLoadBalancerNodePorts'] : left), ...(spec.ports === undefined ? {} : { ports: numbered }) } }
}

function validate (object: Tree, before: Tree | undefined): Cause[] {
  const seen = new Set<unknown>()
  const duplicates = ports(object).flatMap((port, index) => {
    if (port.name === undefined && ports(object).length > 1) return [wrong('FieldValueRequired', `spec.ports[${index}].name`)]
    if (port.name !== undefined && seen.has(port.name)) return [wrong('FieldValueDuplicate', `spec.ports[${index}].name`)]
    seen.add(port.name)
    return []
  })
  const none = ports(object).length === 0 && at(object, 'spec', 'clusterIP') !== 'None' ? [wrong('FieldValueRequired', 'spec.ports')] : []
  const headless = at(object, 'spec', 'clusterIP') === 'None' && isExternal(object) ? [wrong('FieldValueInvalid', 'spec.clusterIPs[0]')] : []
  const moved = before && !isEqual(at(before, 'spec', 'clusterIP'), at(object, 'spec', 'clusterIP')) ? [wrong('FieldValueInvalid', 'spec.clusterIPs[0]')] : []
  return [...none, ...duplicates, ...headless, ...moved]
}

export const service: ModelKind = {
  group: '',
  version: 'v1',
  resource: 'services',
  apiVersion: 'v1',
  kind: 'Service',
  namespaced: true,
  status: true,
  generation: false,
  returnsDeleted: true,
  shape: shapeOf({ 'spec.ports': ['port', 'protocol'], 'spec.selector': 'atomic', 'status.conditions': ['type'] }),
  empty: { metadata: {}, spec: {}, status: { loadBalancer: {} } },
  defaults,
  prepare,
  validate,
}
