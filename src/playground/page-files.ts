import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'

declare const BUNDLED_VERSION: string | undefined

export interface PageFile { readonly type: string, readonly content: Buffer }

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.woff2': 'font/woff2',
  '.svg': 'image/svg+xml',
}

/** Next to the bundle, or in the executable; without a bundle, the page is built by the first request that needs it (0.3 s). */
const read = typeof BUNDLED_VERSION === 'string' ? readBuilt : readSource

/** A file of the page; undefined if there is none. `name` has no slash. */
export async function pageFile (name: string): Promise<PageFile | undefined> {
  const content = await read(name)
  return content && { type: types[extname(name)] ?? 'application/octet-stream', content }
}

async function readBuilt (name: string): Promise<Buffer | undefined> {
  const path = `playground/${name}`
  const { isSea, getRawAsset } = await import('node:sea')
  try {
    return isSea() ? Buffer.from(getRawAsset(path)) : await readFile(new URL(path, import.meta.url))
  } catch {
    return undefined
  }
}

interface Builder { readonly buildPage: () => Promise<ReadonlyMap<string, Buffer>> }

let building: Promise<ReadonlyMap<string, Buffer>> | undefined

async function readSource (name: string): Promise<Buffer | undefined> {
  // Not a literal: the bundle must contain neither the builder nor esbuild.
  const builder = new URL('../../.config/playground-page.ts', import.meta.url).href
  building ??= (import(builder) as Promise<Builder>).then(async ({ buildPage }) => await buildPage())
  return (await building).get(name)
}
