import { StoreError } from '../errors.ts'

/**
 * Writes a value as JSON. Throws `TypeError` where it holds something that JSON has no words for, and
 * `INVALID_ARGUMENT` where it is nested too deep or too long.
 */
export function jsonText(what: string, value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch (cause) {
    if (cause instanceof RangeError) throw tooDeep(what, cause)
    if (!(cause instanceof TypeError)) throw cause
    const [problem] = cause.message.split('\n')
    throw new TypeError(`the ${what} cannot be written as JSON: ${problem}`, { cause })
  }
}

/** Makes the error for a value that is nested too deep, or too long. */
export function tooDeep(what: string, cause: RangeError): StoreError {
  return new StoreError('INVALID_ARGUMENT', `the ${what} is nested too deep or too long for JSON`, {
    cause,
    hint: 'make it flatter, or keep it as a text of your own',
  })
}
