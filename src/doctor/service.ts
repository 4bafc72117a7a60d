import { contains } from '../controller/plan/contains.ts'
import { defaultInstallation, name } from '../manifests/install/installation.ts'
import { serviceOfWebhook } from '../manifests/install/services.ts'
import { webhookService } from '../manifests/webhooks.ts'
import { find, list, ok, wrong, type Step } from './examination.ts'
import { installed } from './installed.ts'
import { validatingOf } from './webhook-configurations.ts'

const slices = { group: 'discovery.k8s.io', version: 'v1', resource: 'endpointslices' }
const services = { group: '', version: 'v1', resource: 'services' }

interface Slice { readonly endpoints?: readonly { readonly conditions?: { readonly ready?: boolean } }[] | null }

export const service: Step = {
  title: 'Service',
  looksAt: 'port, selector and ready endpoints of the Service of the webhook',
  examine: async patient => {
    const { namespace } = patient
    if ((await validatingOf(patient))?.clientConfig?.url !== undefined) return ok('none is needed: the webhook configuration contains a URL')
    const { reapply = 'install it: docs/install.md' } = await installed(patient) ?? {}
    const found = await find(patient, services, webhookService.name, namespace)
    if (!found) return wrong(`there is no Service ${namespace}/${webhookService.name}`, reapply)
    const wanted = serviceOfWebhook({ ...defaultInstallation, namespace }).spec as { ports: object[], selector: object }
    const { ports, selector } = found.spec as { ports?: object[], selector?: object }
    if (!contains(wanted.ports, ports)) return wrong(`its ports are ${JSON.stringify(ports)}, and should be ${JSON.stringify(wanted.ports)}`, reapply)
    if (!contains(wanted.selector, selector)) return wrong(`its selector is ${JSON.stringify(selector)}, which does not select the pods of the Deployment`, reapply)
    const items = await list<Slice>(patient, slices, { namespace, labelSelector: `kubernetes.io/service-name=${webhookService.name}` })
    const ready = items.flatMap(slice => slice.endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false).length
    return ready > 0
      ? ok(`${ready} ready endpoint${ready === 1 ? '' : 's'}`)
      : wrong('it has no ready endpoint', `kubectl -n ${namespace} get pods -l app.kubernetes.io/name=${name}`)
  },
}
