/** The units that durations are shown in, the largest first, with their milliseconds. */
export const DURATION_UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
]

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ...DURATION_UNITS,
  ['us', 1e-3],
  ['µs', 1e-3],
  ['ns', 1e-6],
])

/** What a duration looks like as text: `90s`, `1m30s`, `1.5h`, `7d`, or a bare number of milliseconds. */
export const DURATION_PATTERN: RegExp = /^(?:\d+|(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d))+)$/

/**
 * Reads a duration as Go writes it (`time.Duration`, without a sign), and so as Bacalhau's configuration has it;
 * beyond that `d` are days, and a bare number counts milliseconds. Returns whole milliseconds, or `undefined` where
 * the text is no duration or needs finer steps than that.
 */
export function parseDuration(given: string | number): number | undefined {
  if (typeof given === 'number') return Number.isSafeInteger(given) && given >= 0 ? given : undefined
  const text = given.trim()
  if (!DURATION_PATTERN.test(text)) return undefined
  if (/^\d+$/.test(text)) return wholeMs(Number(text))
  let totalMs = 0
  for (const [, number, unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)([a-zµ]+)/g)) {
    totalMs += Number(number) * (UNIT_MS.get(unit) ?? Number.NaN)
  }
  return wholeMs(totalMs)
}

/** Writes a duration so that {@link parseDuration} reads the same number back, for example `1m30s`. */
export function formatDuration(durationMs: number): string {
  if (durationMs === 0) return '0s'
  let restMs = durationMs
  let text = ''
  for (const [unit, unitMs] of DURATION_UNITS) {
    const count = Math.floor(restMs / unitMs)
    if (count > 0) text += `${count}${unit}`
    restMs -= count * unitMs
  }
  return text
}

// Decimal fractions of a unit are inexact in binary: 1.1h is 3960000.0000000005 ms.
function wholeMs(durationMs: number): number | undefined {
  const rounded = Math.round(durationMs)
  if (!Number.isSafeInteger(rounded)) return undefined
  return Math.abs(durationMs - rounded) < 1e-6 * Math.max(1, rounded / 1e9) ? rounded : undefined
}
