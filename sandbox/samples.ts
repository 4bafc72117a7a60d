import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { apiVersion, kind } from '../src/dittoserver/api.ts'
import { readDittoServer } from '../src/dittoserver/dittoserver.ts'

/** The password of the administrator of the sample: DittoFS requires 8 characters. It opens nothing outside of the sandbox. */
export const password = 'sandbox-password'
export const serverName = 'files'

const server = (name: string, spec: object) => ({ apiVersion, kind, metadata: { name }, spec })
const storage = { metadataSize: '1Gi', contentSize: '1Gi', cacheSize: '1Gi' }
const files = server(serverName, { storage, identity: { admin: { passwordSecretRef: { name: 'admin', key: 'password' } } } })

/** The port of the API of the sample. */
export const apiPort = readDittoServer(files).server.spec.controlPlane.port

/** Manifests to start from, by the name of their file. */
const samples: Readonly<Record<string, readonly object[]>> = {
  'server.yaml': [{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'admin' }, stringData: { password } }, files],
  'mistakes.yaml': [server('mistakes', { storage: { ...storage, storageClassName: 'fsat' }, metrics: { enabled: true, port: apiPort } })],
}

/** Writes the samples into a folder of their own. Resolves with the folder. */
export async function writeSamples (folder: string): Promise<string> {
  const target = join(folder, 'samples')
  await mkdir(target, { recursive: true })
  for (const [name, documents] of Object.entries(samples)) {
    await writeFile(join(target, name), documents.map(document => stringify(document)).join('---\n'))
  }
  return target
}
