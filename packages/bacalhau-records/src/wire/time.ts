/** What stands for a time that never was. */
export const ZERO_TIME = '0001-01-01T00:00:00Z'

/** Turns milliseconds since 1970 into nanoseconds. */
export function toNanoseconds(atMs: number): number {
  return atMs * 1_000_000
}

/** Turns nanoseconds since 1970 into milliseconds. */
export function fromNanoseconds(at: number): number {
  return Math.round(at / 1_000_000)
}

/** Writes a time as RFC 3339 text; `null` becomes the zero time, and so does what a date cannot be. */
export function toRfc3339(atMs: number | null): string {
  if (atMs === null) return ZERO_TIME
  const date = new Date(atMs)
  return Number.isNaN(date.getTime()) ? ZERO_TIME : date.toISOString()
}
