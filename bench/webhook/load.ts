import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export interface Load {
  readonly requests: number
  readonly seconds: number
  readonly failures: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

export interface Target {
  readonly port: number
  readonly path: string
  /** Path of the file with the body. */
  readonly body: string
}

const script = fileURLToPath(new URL('load.lua', import.meta.url))

/**
 * Sends requests over a fixed number of TLS connections that stay open. Each connection sends the next request when the previous one is
 * answered. The client is wrk, a C program that runs in one thread, so that the client does not limit the server. https://github.com/wg/wrk
 */
export async function load ({ port, path, body }: Target, connections: number, seconds: number): Promise<Load> {
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', script, `https://127.0.0.1:${port}${path}`]
  const { stdout } = await promisify(execFile)('wrk', args, { env: { ...process.env, BENCH_BODY: body } })
    .catch((error: unknown) => {
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
      throw missing ? new Error('there is no wrk: apt-get install wrk, or brew install wrk') : error
    })
  const result = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Load
  if (result.failures > 0) throw new Error(`${result.failures} of ${result.requests} requests to ${path} failed:\n${stdout}`)
  return result
}
