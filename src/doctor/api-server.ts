import { ok, wrong, type Step } from './examination.ts'

/** The minor version since which match conditions of webhooks and CEL with quantities are stable. */
const oldest = 30

export const apiServer: Step = {
  title: 'API server',
  looksAt: 'whether the API server answers, and its version',
  examine: async ({ client, signal }) => {
    const { major = '', minor = '', gitVersion = '' } = await client.request<{ major?: string, minor?: string, gitVersion?: string }>(
      { verb: 'get', method: 'GET', path: '/version', signal })
    const isOld = major === '1' && parseInt(minor, 10) < oldest
    return isOld ? wrong(`Kubernetes ${gitVersion} is too old`, `upgrade the cluster to Kubernetes 1.${oldest} or newer`) : ok(`Kubernetes ${gitVersion}`)
  },
}
