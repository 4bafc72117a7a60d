import { buildServer } from '../../src/admission/server.ts'
import { EmbeddedCluster } from '../../src/embedded/embedded-cluster.ts'
import { parseManifests } from '../../src/embedded/manifests.ts'
import { createLogger } from '../../src/log.ts'
import { createMetrics } from '../../src/metrics.ts'
import { defaultPolicy } from '../../src/rules/policy.ts'
import { report } from './child.ts'

/** The server as it runs in a cluster, with all rules, metrics, and one log line per request. Only its cluster is simulated in memory. */
const manifests = parseManifests(`
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: fast}
---
apiVersion: v1
kind: Secret
metadata: {name: s3, namespace: default}
stringData: {accessKeyId: id, secretAccessKey: key}
`, 'bench')

const app = buildServer({
  logger: await createLogger('info', 'json'),
  tls: report.tls,
  cluster: new EmbeddedCluster(() => manifests),
  policy: defaultPolicy,
  metrics: createMetrics(),
  maxInFlight: 1_000,
  maxConnections: 2_000,
})
await app.listen({ host: '127.0.0.1', port: 0 })
report.listening(app.server.address())
