import type { KindName } from '../cluster/kinds.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import { configMap } from './config-map.ts'
import type { RenderInputs } from './inputs.ts'
import { childNames } from './names.ts'
import { perconaCluster } from './percona-cluster.ts'
import { apiService, fileService, headlessService, metricsService } from './services.ts'
import { statefulSet } from './stateful-set.ts'

/** One object that belongs to a server: what it must be, or that it must not be. */
export interface Rendered {
  readonly kind: KindName
  readonly name: string
  readonly object: KubernetesObject | undefined
}

const rendered = (kind: KindName, object: object): Rendered => {
  const whole = object as KubernetesObject
  return { kind, name: whole.metadata.name, object: whole }
}

/**
 * Every object of a server but the Secrets that are made only once, in the order in which they are applied: the pod's
 * configuration and its name in DNS come before the pod. Pure.
 */
export function render (server: DittoServer, inputs: RenderInputs): Rendered[] {
  const names = childNames(server.metadata.name)
  return [
    rendered('ConfigMap', configMap(server)),
    rendered('Service', headlessService(server)),
    rendered('Service', fileService(server)),
    rendered('Service', apiService(server)),
    server.spec.metrics.enabled
      ? rendered('Service', metricsService(server))
      : { kind: 'Service', name: names.metricsService, object: undefined },
    ...(server.spec.percona.enabled ? [rendered('PerconaPGCluster', perconaCluster(server, inputs))] : []),
    rendered('StatefulSet', statefulSet(server, inputs)),
  ]
}
