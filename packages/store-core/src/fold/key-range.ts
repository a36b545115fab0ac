import type { KvRange, KvRow } from '../kv/contract.ts'
import { ownerOf, startsWith } from './layout.ts'

/** Tells whether a key lies between the bounds of a range. */
export function isWithin(key: Uint8Array, { gte, gt, lt, lte }: KvRange): boolean {
  return (
    (gte === undefined || Buffer.compare(key, gte) >= 0) &&
    (gt === undefined || Buffer.compare(key, gt) > 0) &&
    (lt === undefined || Buffer.compare(key, lt) < 0) &&
    (lte === undefined || Buffer.compare(key, lte) <= 0)
  )
}

/** Returns the one owner whose keys a range can hold; `null` where it may hold those of several. */
export function onlyOwner({ gte, gt, lt, lte }: KvRange): Uint8Array | null {
  const low = gte ?? gt
  const high = lt ?? lte
  if (low === undefined || high === undefined) return null
  const owner = ownerOf(low)
  return owner !== null && startsWith(high, owner) ? owner : null
}

/** Returns the stretch of the owners' table in which the owners of a range's keys lie. */
export function ownersOf({ gte, gt, lt, lte, reverse = false }: KvRange, limit: number): KvRange {
  const low = gte ?? gt
  const high = lt ?? lte
  const first = low === undefined ? null : ownerOf(low)
  return {
    ...(first === null ? {} : { gte: first }),
    ...(high === undefined ? {} : { lte: high }),
    reverse,
    limit,
  }
}

/** Goes on behind the last key of what was read. */
export function goOn(range: KvRange, last: Uint8Array): KvRange {
  const { gte: _gte, gt: _gt, lt: _lt, lte: _lte, ...rest } = range
  const { gte, gt, lt, lte } = range
  if (range.reverse === true) {
    return { ...rest, ...(gte === undefined ? {} : { gte }), ...(gt === undefined ? {} : { gt }), lt: last }
  }
  return { ...rest, gt: last, ...(lt === undefined ? {} : { lt }), ...(lte === undefined ? {} : { lte }) }
}

/** Puts rows of two sources into one order, and cuts them to the range's limit. */
export function inOrder<Row extends Pick<KvRow, 'key'>>(
  one: readonly Row[],
  other: readonly Row[],
  { reverse, limit }: KvRange,
): Row[] {
  if (other.length === 0) return [...one]
  const sign = reverse === true ? -1 : 1
  return [...one, ...other].sort((a, b) => sign * Buffer.compare(a.key, b.key)).slice(0, limit)
}
