import type { KvRange } from '@saltcod/store-core/backend'

/** LMDB's own code for a page that is damaged. */
const DAMAGED_PAGE = -30_796

const FIRST_KEY: Uint8Array = Uint8Array.of(0)

/** A range as lmdb takes it. */
export interface NativeRange {
  start?: Uint8Array
  end?: Uint8Array
  exclusiveStart: boolean
  inclusiveEnd: boolean
  reverse: boolean
  limit: number
}

/** Says a range in lmdb's words. */
export function nativeRange(range: KvRange): NativeRange {
  const { gte, gt, lt, lte, limit } = range
  const reverse = range.reverse === true
  const low = gte ?? gt
  const high = lte ?? lt
  const start = reverse ? high : low
  // Going down without a lower bound, lmdb would stop above the first possible key and leave it out.
  const end = reverse ? (low ?? FIRST_KEY) : high
  const native: NativeRange = {
    exclusiveStart: (reverse ? lt : gt) !== undefined,
    inclusiveEnd: reverse ? gt === undefined : lte !== undefined,
    reverse,
    limit,
  }
  if (start !== undefined) native.start = start
  if (end !== undefined) native.end = end
  return native
}

/**
 * Throws where what was read is not behind where the reading began, as on a page that lies in another one's place:
 * whoever goes on from the last key would read the same rows for ever.
 */
export function requireOrder(
  range: KvRange,
  first: Uint8Array | undefined,
  last: Uint8Array | undefined,
): void {
  if (first === undefined || last === undefined) return
  const { gte, gt, lt, lte, reverse } = range
  const step = reverse === true ? -1 : 1
  const inclusive = reverse === true ? lte : gte
  const bound = inclusive ?? (reverse === true ? lt : gt)
  const fromBound = bound === undefined ? 1 : Buffer.compare(first, bound) * step
  const isInOrder = Buffer.compare(last, first) * step >= 0
  if (isInOrder && (inclusive === undefined ? fromBound > 0 : fromBound >= 0)) return
  throw Object.assign(new Error('its rows are out of order'), { code: DAMAGED_PAGE })
}
