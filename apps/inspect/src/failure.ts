import type { ExitCode } from './exit-code.ts'

/** Why a command ends without success: what a person reads, and the exit code. */
export class Failure extends Error {
  override readonly name: string = 'Failure'
  readonly exitCode: ExitCode
  /** What can be done, as a sentence. */
  readonly hint: string | undefined

  constructor(
    exitCode: ExitCode,
    message: string,
    options: { readonly hint?: string | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.exitCode = exitCode
    this.hint = options.hint
  }
}

/** Tells whether a thrown value is a {@link Failure}. */
export function isFailure(error: unknown): error is Failure {
  return error instanceof Error && error.name === 'Failure' && 'exitCode' in error
}
