import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Image } from '../node/images.ts'

const program = `
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
const [, port] = /controlplane:[^]*?port: (\\d+)/.exec(readFileSync('/config/config.yaml', 'utf8'))
const server = createServer((request, response) => { response.end('{}') }).listen(Number(port), '127.0.0.1')
process.on('SIGTERM', () => { server.close(); process.exit(0) })
`

/** An image whose program answers every request on the API port of its config.yaml, under both names that the server's binary has had. */
export async function answeringImage (folder: string): Promise<Image> {
  const script = join(folder, 'answer.mjs')
  const binary = join(folder, 'answer.sh')
  await writeFile(script, program)
  // tap hands its own loaders to every process that comes of it.
  await writeFile(binary, '#!/bin/sh\nunset NODE_OPTIONS\nexec /app/node /app/answer.mjs\n')
  await chmod(binary, 0o755)
  return {
    entrypoint: ['/app/dfs'],
    files: { '/app/node': process.execPath, '/app/answer.mjs': script, '/app/dfs': binary, '/app/dittofs': binary },
    user: 65532,
  }
}
