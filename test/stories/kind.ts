import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import { kubectlUser } from '../e2e/kubectl-user.ts'
import { parseEnvironment } from './node-cluster.ts'
import type { Test } from 'tap'
import type { Found } from '../e2e/kubectl-user.ts'
import type { StoryCluster } from './story.ts'

const run = promisify(execFile)
const crd = fileURLToPath(new URL('../../manifests/crd.yaml', import.meta.url))

interface Config {
  readonly clusters: readonly [{ readonly cluster: { readonly server: string, readonly 'certificate-authority-data': string } }]
}

interface FoundPod extends Found { status?: Found['status'] & { containerStatuses?: readonly { readonly restartCount: number }[] } }

/** A kind cluster that exists, or any other that holds nothing of value: the stories run in its namespace `default`. */
export async function startKindCluster (t: Pick<Test, 'teardown'>, kubeconfig: string) {
  const folder = await mkdtemp(join(tmpdir(), 'kind-'))
  t.teardown(async () => { await rm(folder, { recursive: true, force: true }) })
  const env = { PATH: process.env.PATH, HOME: folder, KUBECONFIG: kubeconfig, NO_COLOR: '1' }
  const kubectl: StoryCluster['plane']['kubectl'] = async (args, input = '') => {
    const { promise, resolve } = Promise.withResolvers<{ code: number, stdout: string, stderr: string }>()
    const child = execFile('kubectl', [...args], { env, maxBuffer: 2 ** 26, timeout: 120_000 }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr })
    })
    child.stdin?.end(input)
    return await promise
  }
  const { stdout } = await run('kubectl', ['config', 'view', '--raw', '--minify', '--output', 'json'], { env })
  const [{ cluster }] = (JSON.parse(stdout) as Config).clusters
  // Where a token's kubeconfig expects it: see serviceAccountKubeconfig.
  await mkdir(join(folder, 'certs'))
  await writeFile(join(folder, 'certs', 'ca.crt'), Buffer.from(cluster['certificate-authority-data'], 'base64'))
  const user = kubectlUser({ kubectl })
  await user.run(['apply', '--server-side', '-f', crd])
  await user.run(['wait', '--for=condition=Established', '--timeout=60s', '-f', crd])
  t.teardown(async () => { await kubectl(['delete', 'dittoserver,pvc', '--all', '--timeout=110s']) })
  const restarts = new Map<string, number>()
  const count = async (pod: string) => {
    const found = await user.get<FoundPod>('pod', pod)
    if (found) restarts.set(found.metadata.uid, found.status?.containerStatuses?.[0]?.restartCount ?? 0)
  }
  const found: StoryCluster = {
    plane: { folder, kubectl, server: cluster.server },
    faults: [],
    reach: async (pod, port) => {
      const child = spawn('kubectl', ['port-forward', `pod/${pod}`, `:${port}`], { env, stdio: ['ignore', 'pipe', 'inherit'] })
      t.teardown(() => { child.kill() })
      const [line] = await once(createInterface({ input: child.stdout }), 'line') as [string]
      return Number(/127\.0\.0\.1:(\d+)/.exec(line)?.[1])
    },
    // Two polls see at most one more pod in between: each pod takes 10 s to become ready.
    starts: async pod => {
      await count(pod)
      return [...restarts.values()].reduce((sum, restarted) => sum + 1 + restarted, 0)
    },
    environmentOf: async pod => parseEnvironment(await user.run(['exec', pod, '--', 'cat', '/proc/1/environ'])),
  }
  return { ...found, node: undefined }
}
