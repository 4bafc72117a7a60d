import { respond } from '../admission/respond.ts'
import { isMeantAsDittoServer } from '../check/kind.ts'
import { asAdmitted, judgeManifest } from '../check/judge-manifest.ts'
import type { Stored } from '../check/apply.ts'
import type { Remark as Finding } from '../check/result.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { kubectlView } from '../command-line/kubectl-view.ts'
import { renderServer } from '../command-line/render.ts'
import { readDittoServer } from '../dittoserver/dittoserver.ts'
import { plain } from '../dittoserver/quote.ts'
import { EmbeddedCluster } from '../embedded/embedded-cluster.ts'
import { isManifest, isUnreadable, manifestsIn, type Manifest } from '../embedded/manifests.ts'
import { OverlayCluster } from '../embedded/overlay-cluster.ts'
import { readFrom } from '../embedded/read-object.ts'
import { documentation } from '../project.ts'
import type { ReadObject } from '../render/offline.ts'
import { rules } from '../rules/table.ts'
import type { Effects, Pane, Remark, ServerTrial, Trial, TryRequest } from './contract.ts'
import { defaultedYaml } from './defaulted.ts'
import { editEffects, type Edit } from './edit-effects.ts'
import { picture } from './picture.ts'
import { renderedObject } from './rendered-object.ts'
import { UnreadableCluster, type Surroundings } from './surroundings.ts'

/** A document without a name is the editor. */
const file = ''

/** What the API server and the operator would make of a document. Writes nothing. */
export async function tryDocument ({ text, running = '', pane }: TryRequest, around: Surroundings): Promise<Trial> {
  const found = manifestsIn(text, file)
  const before = manifestsIn(running, file).filter(isManifest)
  const stream = found.filter(isManifest)
  const servers: ServerTrial[] = []
  for (const manifest of stream.filter(isMeantAsDittoServer)) {
    const old = before.find(other => isMeantAsDittoServer(other) && other.name === manifest.name && other.namespace === manifest.namespace)
    servers.push(await tryServer(manifest, old, pane, withDocument(around, [...before, ...stream])))
  }
  return { problems: found.filter(isUnreadable).map(({ problem, line }) => ({ message: problem, line })), servers }
}

/** The objects of the document count as if they had been applied before. */
const withDocument = ({ policy, cluster, read }: Surroundings, stream: readonly Manifest[]): Surroundings => {
  const inDocument = readFrom(() => stream)
  const overlaid: ReadObject = async (kind, namespace, name) => await inDocument(kind, namespace, name) ?? await read(kind, namespace, name)
  return { policy, cluster: new OverlayCluster(cluster, new EmbeddedCluster(() => stream)), read: overlaid }
}

async function tryServer (
  manifest: Manifest, before: Manifest | undefined, pane: Pane, around: Surroundings,
): Promise<ServerTrial> {
  const { namespace, name, line } = manifest
  const stored = before && asStored(before)
  const { allowed, errors, warnings } = await judgeManifest(manifest, {
    cluster: around.cluster, policy: around.policy, stored: async () => stored, warningsAsErrors: false,
  })
  const object = asAdmitted(manifest.object, stored) as unknown as KubernetesObject
  const { objects, refused } = await renderServer(manifest, around.policy, around.read).catch(ifUnreadable)
  const verdict = {
    namespace,
    name: plain(name),
    line,
    operation: stored ? 'UPDATE' as const : 'CREATE' as const,
    allowed,
    kubectl: kubectlView(plain(name), respond({ uid: '', name }, { allowed, errors, warnings })),
    remarks: [...errors, ...warnings].map(finding => remarkOf(finding, manifest)),
    creates: objects.map(({ kind, metadata }) => ({ kind, name: metadata.name })),
    ...(refused === undefined ? {} : { notRendered: refused }),
  }
  switch (pane) {
    case 'verdict': return verdict
    case 'defaulted': return { ...verdict, defaulted: defaultedYaml(manifest.object, object) }
    case 'objects': return { ...verdict, objects: objects.map(renderedObject) }
    case 'picture': return { ...verdict, picture: await picture(serverIn(object, namespace), objects, around) }
    case 'effects': return stored
      ? { ...verdict, effects: await effects({ before: stored.object, after: object, namespace, errors }, around) }
      : verdict
  }
}

/** The verdict stands although the cluster does not answer: admission reports what it could not verify. */
function ifUnreadable (error: unknown) {
  if (error instanceof UnreadableCluster) return { objects: [], refused: error.message }
  throw error
}

const effects = async (edit: Edit, around: Surroundings): Promise<Effects> => await editEffects(edit, around)
  .catch((error: unknown) => ({ summary: ifUnreadable(error).refused, fields: [], steps: [] }))

const serverIn = (object: KubernetesObject, namespace: string) =>
  readDittoServer({ ...object, metadata: { ...object.metadata, namespace } }).server

/** The running object has the defaults, and its document is what was applied last. */
const asStored = ({ object }: Manifest): Stored => ({ object: asAdmitted(object, undefined), original: object })

const remarkOf = ({ severity, rule, field, message }: Finding, manifest: Manifest): Remark =>
  ({ severity, rule, url: urlOf(rule), field, message, ...manifest.positionOf(field) })

const urlOf = (rule: string): string =>
  documentation(rules.some(({ id }) => id === rule) ? `rules.md#${rule.toLowerCase()}` : 'check.md')
