import { setInterval as every } from 'node:timers/promises'
import { hasStatus } from '../../src/cluster/api-error.ts'
import { applyRequest } from '../../src/cluster/api-requests.ts'
import { podIP } from './environment.ts'
import type { ApiClient } from '../../src/cluster/api-client.ts'
import type { KubernetesObject } from '../../src/cluster/kubernetes-object.ts'

/** As kubelet: the node lifecycle controller calls a node lost after 50 s without one. */
const heartbeat = 10_000
const leaseSeconds = 40

const conditions = [
  ['MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
  ['DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
  ['PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
  ['Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'],
] as const

/** Makes the Node, its status and its Lease, and renews both until the signal. Resolves when the node is there. */
export async function register (
  client: ApiClient, name: string, capacity: Readonly<Record<string, string>>, signal: AbortSignal,
): Promise<void> {
  const apply = async (path: string, object: object) => {
    await client.request({ ...applyRequest(path, object as KubernetesObject, { fieldManager: 'kubelet', force: true }), signal })
  }
  const arch = process.arch === 'x64' ? 'amd64' : process.arch
  const labels = { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': arch }
  await apply(`/api/v1/nodes/${name}`, { apiVersion: 'v1', kind: 'Node', metadata: { name, labels }, spec: {} })
  const started = new Date().toISOString()
  const beat = async () => {
    const now = new Date().toISOString()
    await apply(`/api/v1/nodes/${name}/status`, {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name },
      status: {
        capacity,
        allocatable: capacity,
        addresses: [{ type: 'InternalIP', address: podIP }, { type: 'Hostname', address: name }],
        conditions: conditions.map(([type, status, reason, message]) =>
          ({ type, status, reason, message, lastHeartbeatTime: now, lastTransitionTime: started })),
      },
    })
    await apply(`/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${name}`, {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, namespace: 'kube-node-lease' },
      spec: { holderIdentity: name, leaseDurationSeconds: leaseSeconds, renewTime: `${now.slice(0, -1)}000Z` },
    })
  }
  await firstBeat(beat)
  void keepBeating(beat, signal)
}

/** The API server makes the namespace of the leases some moments after it has started. */
async function firstBeat (beat: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await beat()
    } catch (error) {
      if (!hasStatus(error, 404) || attempt >= 100) throw error
      await new Promise(resolve => { setTimeout(resolve, 200) })
    }
  }
}

async function keepBeating (beat: () => Promise<void>, signal: AbortSignal): Promise<void> {
  try {
    for await (const tick of every(heartbeat, undefined, { signal, ref: false })) {
      void tick
      // An unreachable API server misses some, as with a real kubelet.
      await beat().catch(() => {})
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
