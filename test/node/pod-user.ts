import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { kubectlUser, type Found } from '../e2e/kubectl-user.ts'
import type { ControlPlane } from '../control-plane/control-plane.ts'
import type { TestNode } from './node.ts'
import type { ContainerSpec, ContainerStatus, Pod, PodSpec } from './pod.ts'

/** The image of the tests: a shell, which takes a script as its argument. */
export const shell = 'example.com/shell:1'
export const images = { [shell]: { entrypoint: ['/bin/sh', '-c'] } }

/** A container that runs a script of the shell. */
export const script = (text: string, rest: Partial<ContainerSpec> = {}): ContainerSpec => ({ name: 'main', image: shell, args: [text], ...rest })

/** A program that ends well, and at once, when it is asked to. */
export const obedient = 'trap "exit 0" TERM; echo up; while :; do sleep 0.1; done'

/** Someone who makes pods for a node, and looks at them. */
export function podUser (plane: ControlPlane, node: TestNode) {
  const user = kubectlUser(plane)
  const until = async (name: string, test: (pod: Pod) => unknown, what: string, milliseconds = 60_000) =>
    await user.awaitObject<Found & Pod>('pod', name, test, what, milliseconds)
  return {
    ...user,
    until,
    /** Without a scheduler: the pod names its node. */
    create: async (name: string, spec: PodSpec) => {
      await user.run(['create', '-f', '-'], JSON.stringify({
        apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { app: name } }, spec: { nodeName: node.name, ...spec },
      }))
    },
    logOf: async ({ metadata }: Pod, restart = 0, container = 'main') =>
      await readFile(join(node.podFolder({ metadata }), container, String(restart), 'log'), 'utf8'),
  }
}

export const mainOf = ({ status }: Pod): ContainerStatus | undefined => status?.containerStatuses?.[0]
export const waitingFor = (reason: string) => (pod: Pod) => mainOf(pod)?.state.waiting?.reason === reason
export const isRunning = (pod: Pod) => mainOf(pod)?.state.running
export const conditionOf = ({ status }: Pod, type: string) => status?.conditions?.find(condition => condition.type === type)
export const isReady = (pod: Pod) => conditionOf(pod, 'Ready')?.status === 'True'
