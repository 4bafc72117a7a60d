import { defaultImage } from '../../src/render/pod.ts'
import type { Images } from './images.ts'

/** The image of a DittoFS server, under the name that a DittoServer has by default, made of its program. */
export const dittofsImages = (program: string): Images => ({
  [defaultImage]: {
    entrypoint: ['/app/dfs'],
    command: ['start', '--foreground', '--config', '/config/config.yaml'],
    files: { '/app/dfs': program },
    workingDirectory: '/app',
    user: 65532,
  },
})
