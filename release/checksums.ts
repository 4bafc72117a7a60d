import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'

/** SHA-256, in hexadecimal. */
export async function checksum (file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/** In the format of `sha256sum --check`. */
export async function checksums (folder: string, files: readonly string[]): Promise<string> {
  const lines = await Promise.all([...files].sort().map(async file => `${await checksum(join(folder, file))}  ${file}\n`))
  return lines.join('')
}
