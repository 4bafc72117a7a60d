import { readFileSync } from 'node:fs'

declare const BUNDLED_VERSION: string | undefined

/** Version of the program: inserted by the bundler, otherwise read from package.json. */
export const version: string = typeof BUNDLED_VERSION === 'string'
  ? BUNDLED_VERSION
  : (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version
