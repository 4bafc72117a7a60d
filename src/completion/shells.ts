/** The shells that have a script. */
export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = typeof shells[number]

/** The argument with which those scripts call the program, followed by the words on the command line. */
export const completeArgument = '__complete'
