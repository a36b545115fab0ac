import { bytesText, type Format, oneLine } from '@saltcod/cli-kit'
import type { StateCount } from '@saltcod/store-core'

/** Writes milliseconds since 1970 as RFC 3339 text in UTC; `null` stays, and so does what is no time. */
export function rfcTime(timeMs: number | null): string | null {
  if (timeMs === null || !Number.isFinite(timeMs) || Math.abs(timeMs) > 8.64e15) return null
  return new Date(timeMs).toISOString()
}

/** In a table no more of a message is shown, unless it is wide. */
const MESSAGE_LENGTH = 60

/** Writes what a node or a scheduler said as a cell: whole as comma-separated values, in one line in a table. */
export function messageText(
  message: string,
  { output, wide }: { readonly output: Format; readonly wide?: boolean | undefined },
): string {
  if (output === 'csv') return message
  return wide === true ? oneLine(message) : oneLine(message).slice(0, MESSAGE_LENGTH)
}

/** Writes how many records a counter counts; `?` where it is damaged. */
export function recordsText({ records, damaged }: Pick<StateCount, 'records' | 'damaged'>): string {
  return damaged === true ? '?' : String(records)
}

/** Writes how many bytes a counter counts; `?` where it is damaged. */
export function sizeText({ bytes, damaged }: Pick<StateCount, 'bytes' | 'damaged'>): string {
  return damaged === true ? '?' : bytesText(bytes)
}
