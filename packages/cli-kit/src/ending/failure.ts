/** Why a command ends without success: what a person reads, and the exit code. */
export class Failure extends Error {
  override readonly name: string = 'Failure'
  /** One of the program's own codes, or that of a job's program where its user asked for it. */
  readonly exitCode: number
  /** What is wrong, one thing each; of a text with several lines the further ones are printed below the first. */
  readonly lines: readonly string[]
  /** What can be done, as a sentence. */
  readonly hint: string | undefined

  constructor(
    exitCode: number,
    lines: string | readonly string[],
    options: { readonly hint?: string | undefined; readonly cause?: unknown } = {},
  ) {
    const all = typeof lines === 'string' ? [lines] : lines
    super(all.join('\n'), options.cause === undefined ? undefined : { cause: options.cause })
    this.exitCode = exitCode
    this.lines = all
    this.hint = options.hint
  }
}

/** Tells whether a thrown value is a {@link Failure}. */
export function isFailure(error: unknown): error is Failure {
  return error instanceof Error && error.name === 'Failure' && 'exitCode' in error
}
