import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { binariesOrSkip, startControlPlane } from '../control-plane/control-plane.ts'
import { kubectlUser } from '../e2e/kubectl-user.ts'
import { dittofsImages } from '../node/dittofs-image.ts'
import { holdMachineLock } from '../node/machine-lock.ts'
import { folderClass, startNode } from '../node/node.ts'
import type { Test } from 'tap'
import type { StoryCluster, StoryOptions } from './story.ts'

const crd = fileURLToPath(new URL('../../manifests/crd.yaml', import.meta.url))

/** A control plane of the tests with the node of the tests. */
export async function startNodeCluster (t: Test, program: string, options: StoryOptions) {
  const binaries = await binariesOrSkip(t, { controllerManager: true, scheduler: true })
  if (!binaries) return undefined
  // Pods have the network of this machine, and the server's ports 12049 and 1445 cannot be configured.
  await holdMachineLock(t, 'dittofs-ports')
  const plane = await startControlPlane(t, binaries, { crds: [crd], controllerManager: true, scheduler: true })
  await kubectlUser(plane).apply(folderClass('folders', { isDefault: true }))
  const node = await startNode(t, plane, { ...options, images: dittofsImages(program) })
  const cluster: StoryCluster = {
    plane,
    faults: node.faults,
    reach: async (_, port) => await Promise.resolve(port),
    environmentOf: async pod => {
      const { pid } = node.runningIn(pod)
      return parseEnvironment(await readFile(`/proc/${pid}/environ`, 'utf8'))
    },
    starts: async pod => await Promise.resolve(node.starts.filter(start => start.pod === pod).length),
  }
  return { ...cluster, plane, node }
}

/** As the kernel shows it: variables that end in a zero byte. */
export const parseEnvironment = (text: string): Record<string, string> => Object.fromEntries(
  text.split('\0').filter(Boolean).map(variable => [variable.slice(0, variable.indexOf('=')), variable.slice(variable.indexOf('=') + 1)]))
