import { ApiError } from '../cluster/api-error.ts'
import { createRequest } from '../cluster/api-requests.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { resourcePath } from '../cluster/resource-path.ts'
import * as api from '../dittoserver/api.ts'
import { name } from '../manifests/install/installation.ts'
import { find, list, ok, unknown, wrong, type Patient, type Step } from './examination.ts'
import { installed } from './installed.ts'
import { selects, type LabelSelector } from './label-selector.ts'
import { validatingOf } from './webhook-configurations.ts'

/** In a dry run this StorageClass only leads to a warning. No schema checks it, so the warning proves that the webhook answered. */
const probe = (namespace: string) => ({
  apiVersion: api.apiVersion,
  kind: api.kind,
  metadata: { generateName: 'doctor-', namespace },
  spec: { storage: { metadataSize: '1Gi', storageClassName: 'this-class-does-not-exist' } },
}) as unknown as KubernetesObject

const namespaces = { group: '', version: 'v1', resource: 'namespaces' }

/** A namespace that the namespaceSelector of the webhook matches: `own` if possible. Undefined: it matches none. */
async function selectedNamespace (patient: Patient, own: string): Promise<string | undefined> {
  const selector: LabelSelector = (await validatingOf(patient))?.namespaceSelector ?? {}
  const { matchLabels = {}, matchExpressions = [] } = selector
  const isSelected = ({ metadata: { labels = {} } }: KubernetesObject) => selects(selector, labels)
  if (Object.keys(matchLabels).length + matchExpressions.length === 0) return own
  const there = await find(patient, namespaces, own)
  if (!there || isSelected(there)) return own
  return (await list<KubernetesObject>(patient, namespaces)).find(isSelected)?.metadata.name
}

export const admission: Step = {
  title: 'Admission',
  looksAt: 'a dry run of a DittoServer, from end to end',
  examine: async patient => {
    const { client, signal } = patient
    const watched = (await installed(patient))?.installation.watchNamespace
    const namespace = watched ?? await selectedNamespace(patient, patient.namespace)
    if (namespace === undefined) return unknown('no namespace matches the namespaceSelector of the validating webhook', 'label the namespaces of your DittoServers')
    const path = resourcePath({ group: api.group, version: api.version, resource: api.plural }, { namespace })
    const warnings: string[] = []
    const help = 'docs/troubleshooting.md has the cause, by the text of the error'
    try {
      await client.request({ ...createRequest(path, probe(namespace)), query: { dryRun: 'All' }, signal, onWarning: text => warnings.push(text) })
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return wrong(`the namespace ${namespace}, or the kind DittoServer, does not exist`, `kubectl create namespace ${namespace}`)
      if (error instanceof ApiError && error.status !== 403) return wrong(`a dry run was refused: ${error.message}`, help)
      throw error
    }
    if (warnings.some(text => text.includes('[SC-MISSING]'))) return ok('a dry run went through the webhook, which answered')
    const other = warnings[0] === undefined ? '' : `; it warned: ${warnings[0]}`
    const show = `kubectl get validatingwebhookconfiguration ${name} -o yaml`
    return wrong(`a dry run did not go through the webhook${other}`, `${show}: its namespaceSelector must match ${namespace}`)
  },
}
