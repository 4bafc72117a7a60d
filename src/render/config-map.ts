import type { DittoServer } from '../dittoserver/dittoserver.ts'
import { configFile } from './config-file.ts'
import { childMetadata, childNames } from './names.ts'

export const configMap = (server: DittoServer) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: childMetadata(server, childNames(server.metadata.name).configMap),
  data: { 'config.yaml': configFile(server) },
})
