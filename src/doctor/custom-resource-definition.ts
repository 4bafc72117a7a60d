import { isSubset } from '../controller/subset.ts'
import { crdName } from '../dittoserver/api.ts'
import { customResourceDefinition } from '../manifests/crd.ts'
import { find, ill, well, type Step } from './examination.ts'

const resource = { group: 'apiextensions.k8s.io', version: 'v1', resource: 'customresourcedefinitions' }
const install = 'kubectl apply --server-side -f manifests/crd.yaml'

export const definition: Step = {
  title: 'CustomResourceDefinition',
  examine: async patient => {
    const found = await find(patient, resource, crdName)
    if (!found) return ill(`${crdName} is not installed`, install)
    const { conditions = [] } = (found.status ?? {}) as { conditions?: { type: string, status: string, message?: string }[] }
    const established = conditions.find(({ type }) => type === 'Established')
    if (established?.status !== 'True') return ill(`${crdName} is not served: ${established?.message ?? 'not established yet'}`, `kubectl describe crd ${crdName}`)
    return isSubset(customResourceDefinition().spec, found.spec) ? well(`${crdName} is that of this version`) : ill(`${crdName} is that of another version`, install)
  },
}
