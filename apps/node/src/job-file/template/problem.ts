/** Why a template cannot be filled in, and where. */
export class TemplateProblem extends Error {
  override readonly name: string = 'TemplateProblem'
  /** Where in the text it is, from 0. */
  readonly offset: number
  readonly hint: string | undefined
  /** The variable that is not given, where that is what is wrong. */
  readonly variable: string | undefined

  constructor(offset: number, message: string, hint?: string, variable?: string) {
    super(message)
    this.offset = offset
    this.hint = hint
    this.variable = variable
  }
}

/** Tells whether a thrown value is a {@link TemplateProblem}. */
export function isTemplateProblem(error: unknown): error is TemplateProblem {
  return error instanceof Error && error.name === 'TemplateProblem' && 'offset' in error
}
