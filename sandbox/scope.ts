type Teardown = () => unknown

/** What must be undone at the end, latest first. Each is tried even if another fails. */
export function createScope () {
  const teardowns: Teardown[] = []
  const failures: unknown[] = []
  const close = async () => {
    for (let teardown = teardowns.pop(); teardown; teardown = teardowns.pop()) {
      try {
        await teardown()
      } catch (error) {
        failures.push(error)
      }
    }
  }
  return {
    teardown: (teardown: Teardown) => { teardowns.push(teardown) },
    /** May be called again, for what was added in the meantime. */
    close,
    failures: failures as readonly unknown[],
  }
}

export type Scope = Pick<ReturnType<typeof createScope>, 'teardown'>
