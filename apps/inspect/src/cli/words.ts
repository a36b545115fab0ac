import { bytesText } from '@saltcod/cli-kit'
import type { StateCount } from '@saltcod/store-core'

/** Writes milliseconds since 1970 as RFC 3339 text in UTC; `null` stays, and so does what is no time. */
export function rfcTime(timeMs: number | null): string | null {
  if (timeMs === null || !Number.isFinite(timeMs) || Math.abs(timeMs) > 8.64e15) return null
  return new Date(timeMs).toISOString()
}

/** Writes how many records a counter counts; `?` where it is damaged. */
export function recordsText({ records, damaged }: Pick<StateCount, 'records' | 'damaged'>): string {
  return damaged === true ? '?' : String(records)
}

/** Writes how many bytes a counter counts; `?` where it is damaged. */
export function sizeText({ bytes, damaged }: Pick<StateCount, 'bytes' | 'damaged'>): string {
  return damaged === true ? '?' : bytesText(bytes)
}
