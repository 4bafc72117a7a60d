import { percona } from '../../src/dittoserver/api.ts'
import type { Cluster } from './cluster.ts'
import { modelKinds } from './model/kinds.ts'

const { customResourceDefinition: kind, perconaCluster } = modelKinds

/** The CRD of the Percona operator is installed, if it is not there already, and its kind served. */
export function installPercona ({ api }: Cluster): void {
  const place = { kind, namespace: '', name: percona.crdName }
  if (api.store.get(kind, '', percona.crdName)) return
  const metadata = { name: percona.crdName, labels: { 'pgv2.percona.com/version': 'v2.9.0' } }
  api.create(place, { apiVersion: kind.apiVersion, kind: kind.kind, metadata }, { manager: 'user' })
  api.serve(perconaCluster, true)
}
