import type { KindName } from '../cluster/kinds.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import { configMap } from './config-map.ts'
import type { RenderInputs } from './inputs.ts'
import { childNames } from './names.ts'
import { perconaCluster } from './percona-cluster.ts'
import { apiService, fileService, headlessService, metricsService } from './services.ts'
import { statefulSet } from './stateful-set.ts'

/** One object of a server: its wanted state, or that it must not exist. */
export interface Rendered {
  readonly kind: KindName
  readonly name: string
  readonly object: KubernetesObject | undefined
}

const rendered = (kind: KindName, object: object): Rendered => {
  const whole = object as KubernetesObject
  return { kind, name: whole.metadata.name, object: whole }
}

/** The ConfigMap and the Services. They are applied before the pod, which needs its configuration and its DNS name. Pure. */
export function configurationObjects (server: DittoServer): Rendered[] {
  return [
    rendered('ConfigMap', configMap(server)),
    rendered('Service', headlessService(server)),
    rendered('Service', fileService(server)),
    rendered('Service', apiService(server)),
    server.spec.metrics.enabled
      ? rendered('Service', metricsService(server))
      : { kind: 'Service', name: childNames(server.metadata.name).metricsService, object: undefined },
  ]
}

/** All objects of a server, except the Secrets that are created only once, in the order in which they are applied. Pure. */
export function render (server: DittoServer, inputs: RenderInputs): Rendered[] {
  return [
    ...configurationObjects(server),
    ...(server.spec.percona.enabled && !inputs.percona?.impossible ? [rendered('PerconaPGCluster', perconaCluster(server, inputs))] : []),
    rendered('StatefulSet', statefulSet(server, inputs)),
  ]
}
