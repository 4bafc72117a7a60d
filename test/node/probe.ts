import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import { podIP } from './environment.ts'
import type { ContainerSpec, Probe } from './pod.ts'

/** Runs a command inside the container. */
export type RunCommand = (command: readonly string[], milliseconds: number) => Promise<CommandResult>

/** Without a code, it took too long. */
export interface CommandResult { readonly code: number | null, readonly output: string }

/** One try. Resolves with undefined, or with why it failed. */
export async function tryProbe (probe: Probe, container: ContainerSpec, run: RunCommand): Promise<string | undefined> {
  const milliseconds = (probe.timeoutSeconds ?? 1) * 1000
  if (probe.exec) {
    const { code, output } = await run(probe.exec.command, milliseconds)
    if (code === null) return `command timed out: ${JSON.stringify(probe.exec.command.join(' '))} timed out after ${milliseconds / 1000}s`
    return code === 0 ? undefined : output.trim()
  }
  if (probe.tcpSocket) return await tryConnect(portNumber(probe.tcpSocket.port, container), milliseconds)
  if (probe.httpGet) return await tryGet(probe.httpGet, container, milliseconds)
  return 'this node knows exec, httpGet and tcpSocket only'
}

/** A port by its number or by its name in the container. */
export function portNumber (port: number | string, { name, ports = [] }: ContainerSpec): number {
  if (typeof port === 'number') return port
  const found = ports.find(candidate => candidate.name === port)?.containerPort
  if (found === undefined) throw new Error(`container ${name} has no port ${port}`)
  return found
}

async function tryConnect (port: number, milliseconds: number): Promise<string | undefined> {
  const socket = connect({ host: podIP, port, signal: AbortSignal.timeout(milliseconds) })
  try {
    await once(socket, 'connect')
    return undefined
  } catch (error) {
    return `dial tcp ${podIP}:${port}: ${(error as NodeJS.ErrnoException).code ?? 'i/o timeout'}`
  } finally {
    socket.destroy()
  }
}

/** Any status from 200 to 399 is a success. Redirects are not followed. */
async function tryGet ({ path = '/', port, scheme = 'HTTP', httpHeaders = [] }: NonNullable<Probe['httpGet']>, container: ContainerSpec, milliseconds: number) {
  const url = new URL(path, `${scheme.toLowerCase()}://${podIP}:${portNumber(port, container)}`)
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const headers = { 'user-agent': 'kube-probe/1.36', ...Object.fromEntries(httpHeaders.map(({ name, value }) => [name, value])) }
  const options = { headers, agent: false, signal: AbortSignal.timeout(milliseconds) }
  const send = scheme === 'HTTPS' ? httpsRequest : httpRequest
  const request = send(url, { ...options, ...scheme === 'HTTPS' && { rejectUnauthorized: false } }, response => {
    const { statusCode = 0 } = response
    response.destroy()
    resolve(statusCode >= 200 && statusCode < 400 ? undefined : `HTTP probe failed with statuscode: ${statusCode}`)
  })
  request.on('error', error => {
    const reason = error.name === 'AbortError' ? 'context deadline exceeded' : (error as NodeJS.ErrnoException).code ?? error.message
    resolve(`Get "${url.href}": ${reason}`)
  })
  request.end()
  return await promise
}
