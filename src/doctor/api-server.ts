import { ill, well, type Step } from './examination.ts'

/** Match conditions of webhooks, and CEL with quantities, are stable since then. */
const oldest = 30

export const apiServer: Step = {
  title: 'API server',
  examine: async ({ client, signal }) => {
    const { major = '', minor = '', gitVersion = '' } = await client.request<{ major?: string, minor?: string, gitVersion?: string }>(
      { verb: 'get', method: 'GET', path: '/version', signal })
    const isOld = major === '1' && parseInt(minor, 10) < oldest
    return isOld ? ill(`Kubernetes ${gitVersion} is too old`, `upgrade the cluster to Kubernetes 1.${oldest} or newer`) : well(`Kubernetes ${gitVersion}`)
  },
}
