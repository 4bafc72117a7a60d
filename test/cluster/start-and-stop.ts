import { pino } from 'pino'
import { ApiClient } from '../../src/cluster/api-client.ts'
import { loadConnection } from '../../src/cluster/kubeconfig.ts'
import { LiveCluster } from '../../src/cluster/live-cluster.ts'

// A program that uses a cluster and stops: it must end on its own, with no open handles.
const [, , file = ''] = process.argv
const client = new ApiClient({ connection: await loadConnection({ file }), userAgent: 'dittofs-operator/test' })
const cluster = new LiveCluster({ client, log: pino({ level: 'silent' }) })
await cluster.start()
const { state } = await cluster.secret('default', 'none', AbortSignal.timeout(60_000))
await cluster.stop()
process.stdout.write(`${cluster.stale()} ${state}`)
