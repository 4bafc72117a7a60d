import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { programsIn } from '../control-plane/programs-in.ts'
import type { ControlPlane } from '../control-plane/control-plane.ts'

const [namespace, pod] = ['percona-system', 'percona-operator-0']

/** Of itself it asks the API server which image it runs. No kubelet takes this pod. */
const itself = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: pod, namespace },
    spec: { containers: [{ name: 'operator', image: 'docker.io/percona/percona-postgresql-operator:2.9.0' }] },
  },
]

/** The name that the audit log gives it. */
export const perconaUser = 'percona-operator'

/**
 * The Percona operator as a process, for all namespaces, with administrator permissions, because its permissions are not tested here. Its
 * CRDs must exist. It ends with the test.
 */
export async function startPerconaOperator (t: Pick<Test, 'teardown'>, plane: ControlPlane, path: string) {
  const folder = await mkdtemp(join(tmpdir(), 'percona-operator-'))
  const { program, stop } = programsIn(folder)
  t.teardown(stop)
  const { code, stderr } = await plane.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: itself }))
  if (code !== 0) throw new Error(stderr)
  const { kubeconfigPath } = await plane.addUser(perconaUser, ['system:masters'])
  const env = {
    HOME: folder,
    KUBECONFIG: kubeconfigPath,
    HOSTNAME: pod,
    OPERATOR_NAMESPACE: namespace,
    WATCH_NAMESPACE: '',
    LOG_STRUCTURED: 'true',
    DISABLE_TELEMETRY: 'true',
    PGO_CONTROLLER_LEADER_ELECTION_ENABLED: 'false',
  }
  const log = async () => await readFile(join(folder, 'operator.log'), 'utf8')
  let begin = 0
  const operator = program('operator', path, [], async () => (await log()).slice(begin).includes('"Starting workers"'), { process: { env, cwd: folder } })
  const start = async () => {
    begin = await log().then(text => text.length, () => 0)
    await operator.start()
  }
  await start()
  return {
    start,
    kill: async () => await operator.kill(),
    isRunning: () => operator.pid !== undefined,
    /** All that it said since the beginning. */
    log,
  }
}
