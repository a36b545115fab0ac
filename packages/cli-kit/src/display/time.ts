import { DURATION_UNITS } from '@saltcod/units'

/** Shorter ones nobody reads in an age. */
const UNITS = DURATION_UNITS.filter(([, unitMs]) => unitMs >= 1_000)

/** Writes milliseconds since 1970 as date and time where the process runs: `2026-03-01 17:05:09`. */
export function localTime(timeMs: number): string {
  const date = new Date(timeMs)
  const two = (number: number): string => String(number).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

/** Writes a span of time in its two largest units: `3d4h`, `12m5s`, `0s`; a negative one as `0s`. */
export function span(durationMs: number): string {
  let restMs = Math.max(0, durationMs)
  const parts: string[] = []
  for (const [unit, unitMs] of UNITS) {
    const count = Math.floor(restMs / unitMs)
    restMs -= count * unitMs
    if (count > 0) parts.push(`${count}${unit}`)
    else if (parts.length > 0) break
    if (parts.length === 2) break
  }
  return parts.length === 0 ? '0s' : parts.join('')
}
