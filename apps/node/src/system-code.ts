/** Returns the code by which the system says what went wrong, such as `ENOENT`; `undefined` where it said nothing. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}
