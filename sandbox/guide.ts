import { listeners } from '../src/dittoserver/ports.ts'
import { apiPort, password, serverName } from './samples.ts'
import type { FileServer } from './file-server.ts'

export interface Guide {
  readonly kubeconfig: string
  readonly samples: string
  readonly operatorLog: string
  /** The port of the playground. */
  readonly uiPort: number
  /** A folder for each pod. */
  readonly podLogs: string
  /** The folders of programs that the commands use and that are not on the PATH. */
  readonly missingOnPath: readonly string[]
  readonly fileServer: FileServer
  readonly isRoot: boolean
  readonly seconds: number
}

const api = `http://localhost:${apiPort}`

interface Try { readonly what: string, readonly commands: readonly string[] }

const first = (samples: string): readonly Try[] => [
  { what: 'A server:', commands: [`kubectl apply -f ${samples}/server.yaml`] },
  { what: 'Mistakes, which are refused:', commands: [`kubectl apply -f ${samples}/mistakes.yaml`] },
]

const growth: Try = {
  what: 'A volume that grows:',
  commands: [`kubectl patch dittoserver ${serverName} --type=merge -p '{"spec":{"storage":{"contentSize":"2Gi"}}}'`, 'kubectl get pvc'],
}

const withServer: readonly Try[] = [
  {
    what: 'The real DittoFS server:',
    commands: [
      `kubectl wait --for=condition=Ready --timeout=3m dittoserver/${serverName}`,
      `dfsctl login --server ${api} --username admin --password ${password}`,
    ],
  },
  growth,
  { what: 'The pod again, with its data:', commands: [`kubectl delete pod ${serverName}-0`, 'kubectl get pods'] },
]

const withoutServer: readonly Try[] = [
  { what: 'Everything that was created for it:', commands: ['kubectl get statefulset,service,configmap,secret,pvc'] },
  { what: 'Its conditions and events:', commands: [`kubectl describe dittoserver ${serverName}`] },
  {
    what: 'A change, and what it does:',
    commands: [
    `kubectl patch dittoserver ${serverName} --type=merge -p '{"spec":{"replicas":0}}'`, `kubectl get dittoserver ${serverName}`,
    ]
  },
]

/** The text that is shown when the sandbox is ready. Pure. */
export function guide ({ kubeconfig, samples, operatorLog, uiPort, podLogs, missingOnPath, fileServer, isRoot, seconds }: Guide): string {
  const path = missingOnPath.length === 0 ? [] : [`export PATH="$PATH:${missingOnPath.join(':')}"`]
  const runs = 'dfsctl' in fileServer
  const tries = [...first(samples), ...runs ? withServer : withoutServer]
  const notes = runs
    ? [
        `The server listens on localhost: API ${apiPort}, NFS ${listeners.nfs}, SMB ${listeners.smb}.`,
        ...isRoot ? [] : [withoutRoot],
        `Pods are processes of this machine, and kubectl logs does not reach them: their logs are in ${podLogs}`,
      ]
    : [`No pod will run: ${fileServer.reason}.`]
  return [
    '', `The sandbox is ready after ${seconds.toFixed(1)} s. In another terminal:`, '', `export KUBECONFIG=${kubeconfig}`, ...path, '',
    ...tries.flatMap(({ what, commands }, index) => [`${index + 1}. ${what}`, ...commands.map(command => `   ${command}`)]),
    '', ...notes, `The playground, with live reviews and the state of the servers: http://localhost:${uiPort}`, `The log of the operator: ${operatorLog}`, 'Ctrl-C ends everything and leaves nothing behind.', '',
  ].join('\n')
}

const withoutRoot = 'You are not root: the server runs as you, and only mounting a share with the kernel (mount -t nfs, mount -t cifs) needs root.'
