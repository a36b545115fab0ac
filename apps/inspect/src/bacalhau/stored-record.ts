import { StoreError } from '@saltcod/store-core'

/** Short ids: eight digits or more as Bacalhau prints them, with the letter four. */
const SHORT_ID = /^(?:[a-z]-[0-9a-f]{4,}|[0-9a-f]{8})[0-9a-f-]*$/

/** Tells whether a text may be the beginning of an id. */
export function isShortId(text: string): boolean {
  return SHORT_ID.test(text)
}

/** Makes the error for a record that is not in a file. */
export function noRecord(kind: 'job' | 'execution', text: string): StoreError {
  const code = kind === 'job' ? 'JOB_NOT_FOUND' : 'EXECUTION_NOT_FOUND'
  return new StoreError(code, `there is no ${kind} ${text}`, { id: text, hint: 'list what is there' })
}

/** Returns the one id that a text means, or undefined. Throws `AMBIGUOUS_ID`. */
export function onlyOf(
  table: 'jobs' | 'executions',
  text: string,
  matches: readonly string[],
): string | undefined {
  if (matches.length <= 1) return matches[0]
  throw new StoreError('AMBIGUOUS_ID', `multiple ${table} found for id ${text}: ${matches.join(', ')}`, {
    id: text,
    matches,
    hint: 'give more of the id',
  })
}
