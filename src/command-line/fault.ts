/** Wrong usage of the command. Exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The command cannot start, or cannot continue. The message is one line and names the setting. Exit code 1. */
export class StartUpError extends Error {
  override readonly name = 'StartUpError'
}
