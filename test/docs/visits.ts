import { copyFile, rm, writeFile } from 'node:fs/promises'
import { stringify } from 'yaml'
import { withComponents } from '../../src/manifests/install/installation.ts'
import { eventually, type ControlPlane } from '../control-plane/control-plane.ts'
import { prepareWebhooks } from '../control-plane/cluster-ca.ts'
import { serverOf, type kubectlUser } from '../e2e/kubectl-user.ts'
import { manifestFolder } from '../e2e/installation.ts'
import { objectsOf } from '../manifests/objects.ts'
import type { Desk } from './desk.ts'

// The way of a reader through the pages: which section is followed when, and what its commands do. All commands of a section are
// run, also those that are added to it later.

/** What surrounds the commands. */
export interface Stage {
  readonly desk: Desk
  readonly plane: ControlPlane
  readonly user: ReturnType<typeof kubectlUser>
  /** The operator that was installed is started, as nodes would do it. */
  readonly startOperator: () => Promise<void>
  readonly stopOperator: () => Promise<void>
  /** Of that operator. */
  readonly healthPort: () => number
}

/** Of a command that contains `of`. Without an expectation it must end with 0. */
export interface Expectation {
  readonly of: string
  readonly code?: number
  /** On either output. */
  readonly says?: RegExp
  /** It runs until the end of the section, and has said so by then. */
  readonly serves?: RegExp
}

export interface Visit {
  readonly page: string
  readonly section: string
  /** What stands behind `# or:`, and not the lines themselves. */
  readonly alternatives?: boolean
  /** Of the section, only commands that begin so. */
  readonly only?: string
  /** Folder of the desk: `clone`, of the project, or `servers`, a repository of the reader's. */
  readonly place?: 'clone' | 'servers'
  readonly needsHelm?: boolean
  readonly before?: (stage: Stage) => Promise<unknown>
  readonly expects?: readonly Expectation[]
  readonly after?: (stage: Stage) => Promise<unknown>
}

const namespace = 'dittofs-system'
/** Of the visit to what stands in running text, on whatever page. */
export const everyPage = 'every page'
const operator = 'app.kubernetes.io/name=dittofs-operator'

/** What stands for something of the reader's, and is put in its place. THE place for it. */
export const placeholders: readonly (readonly [found: RegExp, by: (stage: Pick<Stage, 'healthPort'>) => string, what: string])[] = [
  [/^npm ci && (?=npm start)/, () => '', 'the packages are here'],
  [/(?<=apply -f )manifests\/webhooks\.yaml/, () => 'webhooks.yaml', 'the same, changed as the comment beside it says'],
  [/\bN-postgres\b/, () => 'files-postgres', 'the PostgreSQL cluster of a server'],
  [/\bNAMESPACE\b/, () => 'default', 'the namespace of a server'],
  [/\bNAME\b/, () => 'files', 'a server'],
  [/\bN\b(?!-)/, () => 'files', 'a server'],
  [/\bPOD\b/, () => 'deployment/dittofs-operator', 'a pod of the operator'],
  [/localhost:8081/, ({ healthPort }) => `localhost:${healthPort()}`, 'where port-forward leads'],
]

const server = (name: string, spec: object = {}) => stringify(serverOf(name, spec))
const write = async ({ desk }: Stage, name: string, content: string) => { await writeFile(desk.path(...name.split('/')), content) }
const get = async ({ plane }: Stage, args: string) => (await plane.kubectl(args.split(' '))).stdout.trim()
const until = async (stage: Stage, args: string, wanted: RegExp) =>
  await eventually(async () => wanted.test(await get(stage, args)), `kubectl ${args}: ${wanted}`, 60_000)
const fail = (text: string) => { throw new Error(text) }
const ends = async (desk: Desk, command: string) => {
  const { code, stderr } = await desk.run(command)
  if (code !== 0) fail(`${command}: ${stderr}`)
}

/** What the page on migration scales to 0. */
const goOperator = {
  metadata: { name: 'controller-manager', namespace, labels: { 'control-plane': 'controller-manager' } },
  spec: {
    replicas: 0,
    selector: { matchLabels: { 'control-plane': 'controller-manager' } },
    template: { metadata: { labels: { 'control-plane': 'controller-manager' } }, spec: { containers: [{ name: 'manager', image: 'marmos91c/dittofs-operator' }] } },
  },
}
const filesWithoutDatabase = server('files')
const filesWithPercona = server('files', { percona: { enabled: true } })
const failurePolicy = 'get validatingwebhookconfiguration dittofs-operator -o jsonpath={.webhooks[0].failurePolicy}'
const containerArgs = `-n ${namespace} get deployment dittofs-operator -o jsonpath={.spec.template.spec.containers[0].args}`
const inOperatorSecret = (path: string) => `-n ${namespace} get secret dittofs-operator-tls -o jsonpath={${path}}`
const logLevel = async (stage: Stage, level: string) => {
  const said = await (await fetch(`http://127.0.0.1:${stage.healthPort()}/log-level`)).text()
  if (!said.includes(level)) fail(`the log level is ${said}`)
}
let caBefore = ''

/** In this order. Each finds what those before it have left. */
export const visits: readonly Visit[] = [
  {
    page: 'README.md',
    section: 'Try it',
    expects: [{ of: 'npm start', serves: /dittofs-unknown-class" is invalid[^]*Ctrl-C stops\./ }],
    after: async ({ desk }) => {
      await rm(desk.path('clone', 'dittofs-operator', 'docs', 'install.md')) // cloned, with its pages
      await rm(desk.path('clone', 'dittofs-operator'), { recursive: true })
    },
  },
  { page: '.github/CONTRIBUTING.md', section: 'Contributing', expects: [{ of: 'npm start', serves: /Ctrl-C stops\./ }] },

  // A cluster without an operator in it.
  {
    page: 'README.md',
    section: 'Run it locally against a cluster',
    before: async ({ desk }) => {
      const { manifests, serving } = await prepareWebhooks(desk.path('clone', 'DIR'), [manifestFolder('webhooks.yaml')])
      await writeFile(desk.path('clone', 'webhooks.yaml'), manifests.map(manifest => stringify(manifest)).join('---\n'))
      await writeFile(desk.path('clone', 'DIR', 'ca.crt'), serving.caPem)
      desk.env.DITTOFS_OPERATOR_PORT = String(serving.port)
    },
    expects: [
      { of: 'serve --kubeconfig', serves: /"msg":"serving"/ },
      { of: 'mistakes.yaml', code: 1, says: /Not found: 'fsat': no such StorageClass/ },
    ],
  },

  { page: 'docs/playground.md', section: 'Start it', expects: [{ of: 'npm start', serves: /playground on http:[^]*Ctrl-C stops\./ }] },
  { page: 'docs/playground.md', section: 'With a cluster', expects: [{ of: '--ui-port', serves: /"msg":"the playground is served"/ }] },

  // Installed by kustomize.
  {
    page: 'README.md',
    section: 'Install',
    after: async stage => {
      await stage.startOperator()
      await stage.user.run(['delete', 'dittoserver', '--all', '--timeout=60s'])
    },
  },
  {
    page: 'README.md',
    section: 'dittofs-operator',
    before: async stage => {
      await write(stage, 'clone/files.yaml', server('files', { storage: { metadataSize: '10Gi', storageClassName: 'fast' }, metrics: { enabled: true, port: 8080 } }))
    },
    expects: [{ of: 'kubectl apply', code: 1 }],
    after: async stage => { await write(stage, 'clone/files.yaml', filesWithoutDatabase) },
  },
  { page: 'docs/install.md', section: 'Install', after: async stage => { await until(stage, 'get statefulset dittofs-minimal -o name', /./) } },
  {
    page: 'README.md',
    section: 'Check manifests without a cluster',
    expects: [
      { of: '--state manifests/samples', code: 1, says: /dittofs-unknown-class" is invalid/ },
      { of: 'kustomize build', says: /"allowed": true/ },
      { of: '--kubeconfig', says: /files allowed/ },
    ],
  },
  {
    page: 'README.md',
    section: 'Render the objects of a server',
    expects: [
      { of: 'minimal.yaml', says: /kind: StatefulSet/ },
      { of: '--state DIR', says: /kind: StatefulSet/ },
      { of: 'kubectl diff', code: 1, says: /\+kind: StatefulSet/ },
    ],
  },
  {
    page: 'docs/check.md',
    section: 'Check manifests without a cluster',
    place: 'servers',
    expects: ['-f .', '-f -', '--kubeconfig'].map(of => ({ of, says: /dittofs\.com\/files allowed/ })),
  },
  {
    page: 'docs/check.md',
    section: 'State of the cluster',
    place: 'servers',
    before: async stage => { await write(stage, 'servers/deploy/files.yaml', server('files', { storage: { metadataSize: '5Gi' } })) },
    expects: [{ of: '--previous', code: 1, says: /spec\.storage\.metadataSize.*[Ss]hr[iu]nk|metadataSize.*smaller/ }],
    after: async ({ desk }) => {
      const { stdout } = await desk.run('npx dittofs-operator check -f files.yaml --state state.yaml', 'servers')
      if (!stdout.includes('files allowed')) fail(`state.yaml is of no use: ${stdout}`)
    },
  },
  {
    page: 'release/npm-readme.md',
    section: 'dittofs-operator',
    place: 'servers',
    expects: [{ of: 'check', says: /files allowed/ }, { of: 'render', says: /kind: StatefulSet/ }, { of: 'doctor', says: /✓ Admission/ }],
  },
  {
    page: 'docs/troubleshooting.md',
    section: 'The doctor',
    // In the pod the operator's own account looks, which may not see all.
    expects: [{ of: 'npx', says: /✓ Admission/ }, { of: 'npm run', says: /✓ Admission/ }, { of: 'exec', code: 3, says: /\? \w/ }],
  },
  {
    page: 'docs/troubleshooting.md',
    section: 'The operator itself',
    expects: [{ of: 'log-level/debug', says: /debug/ }],
    after: async stage => { await logLevel(stage, 'debug') },
  },
  { page: 'docs/install.md', section: 'Narrow', only: 'kubectl -n dittofs-system rollout status' },
  {
    page: 'docs/certificates.md',
    section: 'self',
    before: async stage => { caBefore = await get(stage, inOperatorSecret('.data.ca\\.key')) },
    after: async stage => {
      await until(stage, inOperatorSecret('.metadata.annotations'), /^((?!rotate).)*$/)
      if (await get(stage, inOperatorSecret('.data.ca\\.key')) === caBefore) fail('the CA is the same')
    },
  },
  { page: 'docs/operations.md', section: 'Upgrade', expects: [{ of: 'kubectl diff', code: 1, says: /\+kind: StatefulSet/ }] },
  {
    page: 'docs/operations.md',
    section: 'Emergency bypass',
    after: async stage => {
      if (await get(stage, failurePolicy) !== 'Ignore') fail('the policy is the same')
      await stage.user.run(['apply', '-k', manifestFolder('default')])
      if (await get(stage, failurePolicy) !== 'Fail') fail('applied again, it does not set Fail')
    },
  },
  { page: 'docs/operations.md', section: 'Logs', expects: [{ of: 'curl', says: /debug/ }], after: async stage => { await logLevel(stage, 'debug') } },
  {
    page: 'docs/migrate.md',
    section: 'Change over',
    expects: [{ of: 'kubectl wait', says: /dittofs-minimal condition met/ }],
  },
  {
    page: 'docs/postgresql.md',
    section: 'Versions and images',
    before: async stage => {
      await stage.user.run(['create', '-f', manifestFolder('../test/e2e/percona-crd.yaml')])
      await write(stage, 'clone/files.yaml', filesWithPercona)
    },
    expects: [{ of: 'grep', says: /docker\.io\/percona\/percona-pgbouncer:/ }],
  },
  {
    page: 'docs/postgresql.md',
    section: 'Upgrades',
    before: async stage => {
      await stage.user.run(['apply', '-f', stage.desk.path('clone', 'files.yaml')])
      await until(stage, 'get perconapgcluster files-postgres -o name', /./)
    },
    after: async stage => { await until(stage, 'get perconapgcluster files-postgres -o jsonpath={.spec.crVersion}', /^2\.9\.0$/) },
  },
  {
    page: 'docs/postgresql.md',
    section: 'Deletion',
    before: async stage => { await stage.user.run(['delete', 'dittoserver', 'files', '--timeout=60s']) },
    after: async stage => { await until(stage, 'get perconapgcluster -o name', /^$/) },
  },
  { page: 'docs/install.md', section: 'Upgrade', expects: [{ of: 'kubectl apply', says: /deployment\S+ unchanged/ }] },
  {
    page: everyPage,
    section: 'kubectl in running text',
    before: async stage => {
      const { user, desk } = stage
      await user.run(['create', '-f', manifestFolder('../test/e2e/cert-manager-crds.yaml')])
      await user.run(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s'])
      for (const object of objectsOf(withComponents(['cert-manager']))) if (object.kind === 'Certificate') await user.apply(object)
      await user.apply({ apiVersion: 'apps/v1', kind: 'Deployment', ...goOperator })
      await copyFile(desk.path('clone', 'DIR', 'ca.crt'), desk.path('clone', 'ca.crt'))
      await user.apply(serverOf('files'))
      await until(stage, 'get dittoserver files -o jsonpath={.status.conditions[?(@.type=="Ready")].status}', /True/)
    },
    // In the pod the operator's own account looks, which may not see all.
    expects: [{ of: ' exec ', code: 3, says: /\? \w/ }],
    after: async stage => { await stage.user.run(['apply', '-k', manifestFolder('default')]) },
  },
  {
    page: 'docs/kubectl-plugin.md',
    section: 'Install the plugin',
    before: async ({ desk }) => { desk.env.PATH = `${desk.path('home', 'bin')}:${desk.env.PATH}` },
    expects: [{ of: '--help', says: /^ {2}status /m }],
  },
  {
    page: 'docs/kubectl-plugin.md',
    section: 'Commands',
    before: async stage => {
      await stage.user.run(['delete', 'dittoserver', '--all', '--timeout=60s'])
      await write(stage, 'clone/files.yaml', filesWithoutDatabase)
      await stage.user.apply(serverOf('files'))
      await until(stage, 'get dittoserver files -o jsonpath={.status.conditions[?(@.type=="Ready")].status}', /True/)
    },
    expects: [
      { of: 'dittofs status', says: /✓ DittoServer default\/files/ },
      { of: 'dittofs diff', says: /# Nothing changes\./ },
      { of: 'dittofs events', says: /DittoServer created/ },
      { of: 'dittofs restart', says: /is ready again/ },
      { of: 'dittofs check', says: /files allowed/ },
    ],
  },
  {
    page: 'docs/kubectl-plugin.md',
    section: 'Completion',
    after: async ({ desk }) => {
      const { stdout } = await desk.run('kubectl __complete dittofs stat')
      if (!stdout.includes('status\t')) fail(`kubectl does not complete: ${stdout}`)
    },
  },
  {
    page: 'docs/install.md',
    section: 'In one namespace',
    after: async stage => {
      if (!(await get(stage, containerArgs)).includes('--watch-namespace=dittofs')) fail('it is not in one namespace')
      await stage.user.run(['apply', '-k', manifestFolder('default')])
    },
  },
  {
    page: 'docs/install.md',
    section: 'Uninstall',
    before: async stage => {
      await stage.user.run(['delete', 'dittoserver', '--all', '--timeout=60s'])
      await stage.user.apply(serverOf('files'))
    },
    expects: [{ of: 'kubectl get dittoservers', says: /files/ }],
    after: async stage => {
      await stage.stopOperator()
      if (await get(stage, `get all,crd,clusterrole,validatingwebhookconfiguration -A -l ${operator} -o name`) !== '') fail('something is left')
    },
  },

  // Installed by Helm.
  {
    page: 'README.md',
    section: 'Install',
    alternatives: true,
    needsHelm: true,
    expects: [{ of: 'helm install', says: /STATUS: deployed/ }],
    after: async ({ desk }) => { await ends(desk, 'helm uninstall dittofs-operator -n dittofs-system') },
  },
  { page: 'docs/install.md', section: 'With Helm', needsHelm: true, expects: [{ of: 'helm install', says: /STATUS: deployed/ }] },
  { page: 'docs/install.md', section: 'Upgrade', alternatives: true, needsHelm: true, expects: [{ of: 'helm upgrade', says: /STATUS: deployed/ }] },
  {
    page: 'docs/callers.md',
    section: 'A certificate for the API server',
    needsHelm: true,
    // A release of an earlier chart, which did not have every value that this one has.
    before: async ({ desk }) => {
      await ends(desk, 'helm uninstall dittofs-operator -n dittofs-system')
      await ends(desk, `helm install dittofs-operator ${manifestFolder('../test/e2e/chart-before.tgz')} -n dittofs-system --set logLevel=debug`)
    },
    expects: [{ of: 'helm upgrade', says: /STATUS: deployed/ }],
    after: async stage => {
      await ends(stage.desk, 'openssl verify -purpose sslclient -CAfile ca.crt client.crt')
      const args = await get(stage, containerArgs)
      if (!args.includes('--client-ca=')) fail('no certificate is asked for')
      if (!args.includes('--log-level=debug')) fail('a value of the release was not kept')
    },
  },
  {
    page: 'docs/install.md',
    section: 'Uninstall',
    alternatives: true,
    needsHelm: true,
    after: async stage => {
      if (!(await get(stage, 'get crd -o name')).includes('dittoservers')) fail('the definition is gone')
    },
  },

  { page: 'docs/verify.md', section: 'Verify a release' },
]
