import t from 'tap'
import { podStatus, type Observed } from './pod-status.ts'
import type { ContainerState, ContainerStatus, Pod } from './pod.ts'

const container = (name: string, state: ContainerState, rest: Partial<ContainerStatus> = {}): ContainerStatus =>
  ({ name, image: 'i', imageID: '', state, lastState: {}, ready: false, started: false, restartCount: 0, ...rest })
const running = { running: { startedAt: '' } }
const waiting = { waiting: { reason: 'ContainerCreating' } }
const ended = (exitCode: number) => ({ terminated: { exitCode, reason: '', startedAt: '', finishedAt: '', containerID: '' } })

const statusOf = (observed: Partial<Observed>, restartPolicy: 'Always' | 'OnFailure' | 'Never' = 'Always', before: Parameters<typeof podStatus>[2] = []) => {
  const pod: Pod = { metadata: { name: 'p', namespace: 'n', uid: 'u', generation: 3 }, spec: { restartPolicy, containers: [] } }
  return podStatus(pod, { initContainers: [], containers: [], readyToStart: true, finished: false, startTime: 's', ...observed }, before, 'now')
}

t.test('phase', async t => {
  const cases: [string, Partial<Observed>, ('Always' | 'OnFailure' | 'Never')?][] = [
    ['Pending', { containers: [container('a', waiting)] }],
    ['Pending', { containers: [container('a', waiting), container('b', running)] }],
    ['Running', { containers: [container('a', running)] }],
    ['Running', { containers: [container('a', waiting, { lastState: ended(1) })] }],
    ['Running', { containers: [container('a', ended(0))] }],
    ['Running', { containers: [container('a', ended(1))] }, 'OnFailure'],
    ['Succeeded', { containers: [container('a', ended(0))] }, 'OnFailure'],
    ['Succeeded', { containers: [container('a', ended(0))] }, 'Never'],
    ['Failed', { containers: [container('a', ended(1)), container('b', ended(0))] }, 'Never'],
    ['Running', { containers: [container('a', ended(1)), container('b', running)] }, 'Never'],
    ['Succeeded', { containers: [container('a', ended(0))], finished: true }],
    ['Failed', { containers: [container('a', ended(143))], finished: true }],
    ['Pending', { initContainers: [container('i', running)], containers: [container('a', waiting)] }],
    ['Pending', { initContainers: [container('i', waiting, { lastState: ended(1) })], containers: [container('a', waiting)] }],
    ['Failed', { initContainers: [container('i', ended(1))], containers: [container('a', waiting)] }, 'Never'],
    ['Running', { initContainers: [container('i', ended(0), { ready: true })], containers: [container('a', running)] }],
  ]
  for (const [phase, observed, policy] of cases) t.equal(statusOf(observed, policy).phase, phase, JSON.stringify([observed, policy]))
})

t.test('conditions keep their time while their status does not change', async t => {
  const before = [
    { type: 'Ready', status: 'True', lastTransitionTime: 'then' }, { type: 'Initialized', status: 'True', lastTransitionTime: 'then' },
  ] as const
  const { conditions } = statusOf({ containers: [container('a', running), container('b', running, { ready: true })] }, 'Always', before)
  t.match(conditions, [
    { type: 'PodReadyToStartContainers', status: 'True', lastTransitionTime: 'now', observedGeneration: 3 },
    { type: 'Initialized', status: 'True', lastTransitionTime: 'then' },
    { type: 'Ready', status: 'False', reason: 'ContainersNotReady', message: 'containers with unready status: [a]', lastTransitionTime: 'now' },
    { type: 'ContainersReady', status: 'False' },
  ])
})
