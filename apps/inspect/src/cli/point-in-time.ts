import { Failure } from '@saltcod/cli-kit'
import { parseDuration } from '@saltcod/units'
import { EXIT } from '../exit-code.ts'

/** Reads a point in time: a span before now such as `2h` or `7d`, or a date and time. Throws a `Failure`. */
export async function parsePointInTime(text: string, nowMs: number): Promise<number> {
  const ageMs = parseDuration(text)
  if (ageMs !== undefined) return Math.max(0, nowMs - ageMs)
  const timeMs = Date.parse(text)
  if (!Number.isNaN(timeMs) && timeMs >= 0) return timeMs
  throw new Failure(EXIT.usage, `'${text}' is no point in time`, {
    hint: 'write a span such as 90s, 2h or 7d, or a time such as 2026-01-31T03:00:00Z',
  })
}
