import type { Test } from 'tap'

// Stands for `tap` in a test file that is run again for each mutant: the root of its tests is a new one each time.

const t = (globalThis as unknown as { mutationRoot: Test }).mutationRoot
export default t
