import { StoreError } from '../errors.ts'
import type { KvSnapshot } from '../kv/contract.ts'
import { decodeId, decodeTuple } from '../kv/tuple.ts'
import { type IdPrefix, shortIdBounds } from '../model/id.ts'
import { orUndamaged } from './quarantine.ts'

const MAX_MATCHES = 20

/** Returns the one id that a short id stands for, or none. Throws `AMBIGUOUS_ID`. */
export function matchShortId(
  snapshot: KvSnapshot,
  table: 'jobs' | 'executions',
  prefix: IdPrefix,
  text: string,
): string[] {
  const bounds = shortIdBounds(prefix, text)
  if (bounds === null) return []
  const matches = snapshot
    .keys(table, { gte: bounds.low, lte: bounds.high, limit: MAX_MATCHES })
    .flatMap((key) => orUndamaged(() => decodeId(prefix, decodeTuple(key)[0])) ?? [])
  if (matches.length <= 1) return matches
  throw ambiguous(table, text, matches)
}

/** Makes the error for a text that stands for several records. */
export function ambiguous(
  table: 'jobs' | 'executions' | 'nodes',
  text: string,
  matches: readonly string[],
): StoreError {
  return new StoreError('AMBIGUOUS_ID', `multiple ${table} found for id ${text}: ${matches.join(', ')}`, {
    id: text,
    matches,
    hint: 'give more of the id',
  })
}
