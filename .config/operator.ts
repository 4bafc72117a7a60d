import { chdir, env } from 'node:process'

// `npm run operator`: npm runs scripts in the folder of package.json, but paths on the command line are relative to the folder where npm
// was started.
if (env['INIT_CWD'] !== undefined) chdir(env['INIT_CWD'])
await import('../src/main.ts')
