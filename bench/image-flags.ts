import { readFile } from 'node:fs/promises'

/** The flags that the image starts Node with. The benches start the bundle with them, because that is what users run. */
export async function imageFlags (): Promise<string[]> {
  const entry = /^ENTRYPOINT (\[.*\])$/m.exec(await readFile(new URL('../Dockerfile', import.meta.url), 'utf8'))?.[1]
  return (JSON.parse(entry ?? '[]') as string[]).filter(word => word.startsWith('--'))
}
