/** Why a task cannot be carried out; codes are stable, messages may change. */
export type TaskErrorCode =
  | 'INPUT_INVALID'
  | 'INPUT_DENIED'
  | 'INPUT_MISSING'
  | 'INPUT_TOO_LARGE'
  | 'INPUT_FAILED'
  | 'IMAGE_MISSING'
  | 'IMAGE_DENIED'
  | 'IMAGE_FAILED'
  | 'RESULTS_INVALID'
  | 'RESULTS_TOO_LARGE'

/** A task whose inputs, image or results cannot be had; the message is one line for people. Recognise it by `code`. */
export class TaskError extends Error {
  override readonly name: string = 'TaskError'
  readonly code: TaskErrorCode

  constructor(code: TaskErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
  }
}

/** Tells whether a thrown value is a {@link TaskError}. */
export function isTaskError(error: unknown): error is TaskError {
  return error instanceof Error && error.name === 'TaskError' && 'code' in error
}
