import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { promisify } from 'node:util'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

/**
 * A permission that the API server checked.
 * https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/subject-access-review-v1/
 */
export interface Question {
  readonly user: string
  readonly namespace: string
  readonly verb: string
  readonly group: string
  /** With its subresource, as a rule of RBAC has it. */
  readonly resource: string
  readonly name: string
}

interface SubjectAccessReview {
  readonly spec: {
    readonly user: string
    readonly resourceAttributes?: {
      readonly namespace?: string
      readonly verb?: string
      readonly group?: string
      readonly resource?: string
      readonly subresource?: string
      readonly name?: string
    }
  }
}

/**
 * An authorizer without an opinion, which records each permission check before RBAC decides. The audit log contains only requests; this log
 * contains every permission that a request needed, such as `create` for an apply that creates an object. There are no checks for members of
 * system:masters.
 */
export async function recordAuthorization (t: Test) {
  let questions = new Map<string, Question>()
  const server = createServer((request, response) => {
    json(request).then(body => {
      const { spec: { user, resourceAttributes: attributes } } = body as SubjectAccessReview
      if (attributes) {
        const { namespace = '', verb = '', group = '', resource = '', subresource, name = '' } = attributes
        const question = { user, namespace, verb, group, resource: subresource ? `${resource}/${subresource}` : resource, name }
        questions.set(JSON.stringify(question), question)
      }
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', status: { allowed: false } }))
    }).catch(() => response.writeHead(400).end())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const folder = await mkdtemp(join(tmpdir(), 'authorization-'))
  t.teardown(async () => {
    server.closeAllConnections()
    await promisify(server.close.bind(server))()
    await rm(folder, { recursive: true, force: true })
  })
  const file = join(folder, 'authorization.kubeconfig')
  await writeFile(file, JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'log', cluster: { server: `http://127.0.0.1:${(server.address() as AddressInfo).port}` } }],
    users: [{ name: 'log' }],
    contexts: [{ name: 'log', context: { cluster: 'log', user: 'log' } }],
    'current-context': 'log',
  }))
  return {
    apiServerFlags: {
      'authorization-mode': 'Webhook,RBAC',
      'authorization-webhook-config-file': file,
      'authorization-webhook-version': 'v1',
    },
    /** Those since the last call, each once, however often it was asked. */
    takeQuestions: () => {
      const taken = [...questions.values()]
      questions = new Map()
      return taken
    },
  }
}
