import type { DataFile } from './data-file.ts'
import { type LeafNode, OVERFLOW_HEADER_BYTES } from './tree-page.ts'

/** Where a value lies that has pages of its own. */
export type LargeValue = Exclude<LeafNode['value'], Buffer>

/**
 * Reads a value that has pages of its own, without looking at their header; `null` where the file ends before it does.
 */
export function readLargeValue(
  file: DataFile,
  pageBytes: number,
  { page, bytes }: LargeValue,
): Buffer | null {
  const start = page * pageBytes + OVERFLOW_HEADER_BYTES
  // Asked first: a damaged length may be anything up to 4 GiB.
  if (start + bytes > file.fileBytes) return null
  const value = file.read(start, bytes)
  return value.length < bytes ? null : value
}
