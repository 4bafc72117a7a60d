/** `watch`: every Secret is watched, metadata only. `get`: Secrets are read by name in each pass, which needs fewer permissions. */
export const secretAccesses = ['watch', 'get'] as const
export type SecretAccess = typeof secretAccesses[number]
