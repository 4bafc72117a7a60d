import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { listeners } from '../../src/dittoserver/ports.ts'
import { eventually } from '../control-plane/control-plane.ts'
import { patience, type Story } from './story.ts'
import type { Found, FoundService } from '../e2e/kubectl-user.ts'

const run = promisify(execFile)
const within = 60_000

interface FoundPod extends Found { spec: { containers: [{ ports: { name: string, containerPort: number }[] }] } }

export const password = 'correct horse battery staple'

/** The Secret with the password of the administrator. */
export const adminSecret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'admin' }, stringData: { password } }

/** A small server whose administrator has that password. */
export const serverWith = (name: string, spec: object = {}) => ({
  apiVersion: 'dittofs.dittofs.com/v1alpha1',
  kind: 'DittoServer',
  metadata: { name },
  spec: {
    storage: { metadataSize: '1Gi', contentSize: '1Gi', cacheSize: '1Gi' },
    identity: { admin: { passwordSecretRef: { name: 'admin', key: 'password' } } },
    ...spec,
  },
})

/** Whether the object, a pod or a DittoServer, says that it is ready. */
export const isReady = (object: Found | undefined) =>
  object?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false

/** A running server, as those see it who use it. */
export async function fileServer (story: Story, name: string) {
  const { get, reach, plane, programs, awaitCondition } = story
  const pod = `${name}-0`
  const home = await mkdtemp(join(plane.folder, 'client-'))
  const env = { PATH: process.env.PATH, HOME: home }
  const ctl = async (...args: string[]) => (await run(programs.dfsctl, args, { env, timeout: within })).stdout

  /** The port of the pod that a Service leads to. @throws while one of them is missing */
  const targetPort = async (service: string, port: string) => {
    const { targetPort } = (await get<FoundService>('service', service))?.spec.ports.find(found => found.name === port) ?? {}
    const found = (await get<FoundPod>('pod', pod))?.spec.containers[0].ports.find(({ name }) => name === targetPort)
    if (!found) throw new Error(`Service ${service} leads to no port of pod ${pod}`)
    return found.containerPort
  }
  const api = async () => await reach(pod, await targetPort(`${name}-api`, 'api'))
  return {
    pod,
    ctl,
    /** The answer of `/health/ready`, through the Service. @throws if nothing answers */
    health: async () => (await fetch(`http://127.0.0.1:${await api()}/health/ready`)).status,
    isReady: async () => isReady(await get('dittoserver', name)),
    awaitReady: async (milliseconds = patience) => await awaitCondition(name, 'Ready', 'True', 'AllConditionsMet', milliseconds),
    awaitUnready: async () => await eventually(async () => !isReady(await get('dittoserver', name)), `${name} is no longer ready`, patience),
    login: async () => await ctl('login', '--server', `http://127.0.0.1:${await api()}`, '--username', 'admin', '--password', password),
    /** A share whose files are on the volumes that the operator renders. */
    makeShare: async (share: string) => {
      await ctl('store', 'metadata', 'add', '--name', 'metadata', '--type', 'badger', '--db-path', '/data/metadata/badger')
      await ctl('store', 'block', 'local', 'add', '--name', 'content', '--type', 'fs', '--path', '/data/content/blocks')
      await ctl('share', 'create', '--name', `/${share}`, '--metadata', 'metadata', '--local', 'content',
        '--default-permission', 'read-write', '--squash', 'none')
    },
    /** Puts a file into a share over NFS. The way there is the container's own port: the Service leads to it under another number. */
    write: async (share: string, file: string, content: Buffer) => {
      const source = join(home, randomBytes(8).toString('hex'))
      await writeFile(source, content)
      const port = await reach(pod, await targetPort(`${name}-file`, 'nfs'))
      await run(programs.nfsCp, [source, `nfs://127.0.0.1/${share}/${file}?nfsport=${port}&mountport=${port}&version=3`], { timeout: within })
    },
    /** Reads it over SMB, which the server offers even without a Service for it. */
    read: async (share: string, file: string) => {
      const target = join(home, randomBytes(8).toString('hex'))
      const port = await reach(pod, listeners.smb)
      const login = ['-p', String(port), `//127.0.0.1/${share}`, '-U', `admin%${password}`]
      await run(programs.smbclient, [...login, '-c', `get ${file} ${target}`], { timeout: within })
      return await readFile(target)
    },
  }
}
