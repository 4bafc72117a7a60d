/** Where the playground is on by default: with `serve --embedded` and in the sandbox. If this port is in use, it is on another one. */
export const defaultUiPort = 8088
