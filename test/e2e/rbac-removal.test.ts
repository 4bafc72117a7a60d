import { fileURLToPath } from 'node:url'
import t from 'tap'
import { defaultInstallation, type Installation } from '../../src/manifests/install/installation.ts'
import { manifestsOf } from '../../src/manifests/install/parts.ts'
import { binariesOrSkip, eventually, startControlPlane } from '../control-plane/control-plane.ts'
import { grantsOf, type Grant, type InstalledObject, type PolicyRule } from './grants.ts'
import { granting, serviceAccount, serviceAccountUser } from './installation.ts'
import { kubectlUser } from './kubectl-user.ts'

// Every verb of an installation is removed from its role, one after the other, on a real API server: its requests are then refused, so
// nothing else grants the same permission. The tests in install show that the operator needs each of them. In addition, the operator has no
// other permission on any resource of this API server.

const groups = ['system:serviceaccounts', `system:serviceaccounts:${serviceAccount.namespace}`, 'system:authenticated']
const crds = ['../../manifests/crd.yaml', 'percona-crd.yaml'].map(path => fileURLToPath(new URL(path, import.meta.url)))

const installations: Readonly<Record<string, Installation>> = {
  'the whole cluster': defaultInstallation,
  'one namespace': { ...defaultInstallation, watchNamespace: 'default' },
  'one namespace, Secrets by name': { ...defaultInstallation, watchNamespace: 'default', secretAccess: 'get' },
  'the whole cluster, Secrets by name': { ...defaultInstallation, secretAccess: 'get' },
  'the webhook alone': { ...defaultInstallation, controller: false },
  'the webhook alone, one namespace': { ...defaultInstallation, controller: false, watchNamespace: 'default' },
  'a certificate of yours': { ...defaultInstallation, certificates: 'files' },
}

const namespaces = ['default', serviceAccount.namespace, 'kube-system']

type Question = Readonly<Record<'verb' | 'group' | 'resource' | 'namespace' | 'name', string>>
interface Role extends InstalledObject { readonly rules: readonly PolicyRule[] }
interface AccessReview { readonly status: { readonly allowed: boolean } }
interface RulesReview { readonly status: { readonly incomplete: boolean, readonly resourceRules: readonly PolicyRule[] } }

const said = ({ verb, group, resource, namespace, name }: Question) =>
  `${verb} ${resource}${group ? `.${group}` : ''}${name ? ` ${name}` : ''}${namespace ? ` in ${namespace}` : ''}`

/** Of a name where the grant is for that alone; without a namespace where it is for all. */
const questionOf = ({ verb, group, resource, namespace, names: [name = ''] }: Grant): Question => ({ verb, group, resource, namespace, name })

/** A role without one of its verbs. */
const without = (role: Role, { group, resource, verb, names }: Grant): Role => ({
  ...role,
  rules: role.rules.map(rule => {
    const isIt = rule.apiGroups.includes(group) && rule.resources.includes(resource) && String(rule.resourceNames ?? []) === String(names)
    return isIt ? { ...rule, verbs: rule.verbs.filter(other => other !== verb) } : rule
  }).filter(rule => rule.verbs.length > 0),
})

const binaries = await binariesOrSkip(t)
if (binaries) {
  const { kubectl, client } = await startControlPlane(t, binaries, { crds })
  const { run } = kubectlUser({ kubectl })

  const may = async ({ name, ...question }: Question): Promise<boolean> => {
    const [resource = '', subresource = ''] = question.resource.split('/')
    const { status } = await client.request<AccessReview>({
      verb: 'create',
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: { user: serviceAccountUser, groups, resourceAttributes: { ...question, resource, subresource, name } },
      },
    })
    return status.allowed
  }

  /** All permissions of a user in a namespace, according to the API server. */
  const rights = async (user: string, namespace: string): Promise<string[]> => {
    const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview', spec: { namespace } }
    const args = ['create', '-f', '-', '-o', 'json', '--validate=false', '--as', user, ...groups.flatMap(group => ['--as-group', group])]
    const { status } = JSON.parse(await run(args, JSON.stringify(review))) as RulesReview
    if (status.incomplete) throw new Error('the API server does not know all')
    return status.resourceRules.flatMap(({ verbs, apiGroups = [], resources = [], resourceNames: names = [] }) =>
      apiGroups.flatMap(group => resources.flatMap(resource => verbs.map(verb =>
        said({ verb, group, resource, namespace, name: names.join() })))))
  }

  const put = async (role: Role) => {
    const { kind, metadata: { name, namespace } } = role
    const path = `/apis/rbac.authorization.k8s.io/v1/${namespace === undefined ? '' : `namespaces/${namespace}/`}${kind.toLowerCase()}s/${name}`
    await client.request({ verb: 'update', method: 'PUT', path, body: role })
  }

  for (const [title, installation] of Object.entries(installations)) {
    await t.test(title, async t => {
      const items = manifestsOf(installation).map(({ manifest }) => manifest as InstalledObject)
        .filter(({ kind }) => granting.has(kind))
      const listOf = (some: readonly InstalledObject[]) => JSON.stringify({ apiVersion: 'v1', kind: 'List', items: some })
      await run(['apply', '-f', '-'], listOf(items))
      const grants = grantsOf(items, serviceAccount)
      await eventually(async () => (await Promise.all(grants.map(async grant => await may(questionOf(grant))))).every(Boolean), 'all is granted')

      await t.test('nothing is granted by two rules', async t => {
        for (const grant of grants) {
          const role = items.find(({ kind, metadata }) => grant.role === `${kind} ${metadata.name}`) as Role
          const question = questionOf(grant)
          await put(without(role, grant))
          const refused = await eventually(async () => !await may(question), 'refused', 5_000).catch(() => false)
          if (!refused) t.fail(`${said(question)} is allowed without the rule of ${grant.role}`)
          // Taken out alone: the others of its role stay.
          const [other] = grants.filter(one => one.role === grant.role && one !== grant)
          if (other && !await may(questionOf(other))) t.fail(`${said(questionOf(other))} went along with ${said(question)}`)
          await put(role)
          await eventually(async () => await may(question), `${said(question)} again`, 5_000)
        }
        t.ok(grants.length > 5, `${grants.length} grants`)
      })

      await t.test('nothing else is granted', async t => {
        for (const namespace of namespaces) {
          const everybodys = await rights('system:serviceaccount:default:nobody', namespace)
          const expected = grants.filter(grant => grant.namespace === '' || grant.namespace === namespace)
            .map(({ names, ...grant }) => said({ ...grant, namespace, name: names.join() }))
          const found = (await rights(serviceAccountUser, namespace)).filter(right => !everybodys.includes(right))
          t.strictSame(found.sort(), expected.sort(), `${expected.length} grants count in ${namespace}`)
        }
      })

      await t.test('in particular not these', async t => {
        const secrets = { group: '', resource: 'secrets', name: '' }
        const { controller, watchNamespace, secretAccess } = installation
        for (const verb of ['list', 'watch'] as const) {
          const seesAll = controller && watchNamespace === undefined && secretAccess === 'watch'
          t.equal(await may({ ...secrets, verb, namespace: '' }), seesAll, `${verb} Secrets of all namespaces`)
          t.equal(await may({ ...secrets, verb, namespace: 'kube-system' }), seesAll, `${verb} Secrets of kube-system`)
          t.equal(await may({ ...secrets, verb, namespace: 'default' }), controller && secretAccess === 'watch', `${verb} Secrets of the namespace of servers`)
        }
        // Of the Secret that an external connection was split into. No other is ever deleted, but no name can say so.
        t.equal(await may({ ...secrets, verb: 'delete', namespace: 'default' }), controller)
        t.equal(await may({ ...secrets, verb: 'delete', namespace: 'kube-system' }), controller && watchNamespace === undefined)
        for (const verb of ['bind', 'escalate', 'impersonate', '*']) t.notOk(grants.some(grant => grant.verb === verb), verb)
        t.strictSame(grants.filter(({ group, resource }) => `${group}${resource}`.includes('*')), [])
      })

      await run(['delete', '-f', '-', '--wait=true'], listOf(items.filter(({ kind }) => kind !== 'Namespace')))
    })
  }
}
