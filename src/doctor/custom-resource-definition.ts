import { contains } from '../controller/plan/contains.ts'
import { crdName } from '../dittoserver/api.ts'
import { customResourceDefinition } from '../manifests/crd.ts'
import { find, ok, wrong, type Step } from './examination.ts'
import { installed } from './installed.ts'
import { haveSameTool } from './reapply.ts'

const resource = { group: 'apiextensions.k8s.io', version: 'v1', resource: 'customresourcedefinitions' }
const install = 'kubectl apply --server-side -f manifests/crd.yaml'

export const definition: Step = {
  title: 'CustomResourceDefinition',
  looksAt: 'whether it is installed, served, and that of this version',
  examine: async patient => {
    const found = await find(patient, resource, crdName)
    if (!found) return wrong(`${crdName} is not installed`, install)
    const { conditions = [] } = (found.status ?? {}) as { conditions?: { type: string, status: string, message?: string }[] }
    const established = conditions.find(({ type }) => type === 'Established')
    if (established?.status !== 'True') return wrong(`${crdName} is not served: ${established?.message ?? 'not established yet'}`, `kubectl describe crd ${crdName}`)
    if (contains(customResourceDefinition().spec, found.spec)) return ok(`${crdName} is that of this version`)
    const operator = await installed(patient)
    // The CRD may also be installed on its own, for example with `crds.enabled: false` in the chart.
    const isPartOfIt = operator !== undefined && haveSameTool(found, operator.deployment)
    return wrong(`${crdName} is that of another version`, isPartOfIt ? operator.reapply : install)
  },
}
