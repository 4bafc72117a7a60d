import { failureReason } from '../../cluster/failure-reason.ts'

export type Stage = 'secret' | 'webhooks'

/** An error with the stage that failed. The message is short enough for `/readyz`. */
export class StageError extends Error {
  override readonly name = 'StageError'
  readonly stage: Stage

  constructor (stage: Stage, message: string, cause?: unknown) {
    super(message, { cause })
    this.stage = stage
  }
}

/** @throws {StageError} */
export async function atStage<Value> (stage: Stage, attempt: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work()
  } catch (cause) {
    throw new StageError(stage, failureReason(cause, attempt), cause)
  }
}
