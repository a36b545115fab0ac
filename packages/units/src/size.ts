const DECIMAL = 1000
const BINARY = 1024

/** The units of powers of 1000 that sizes are shown in, the smallest first, with their bytes. */
export const DECIMAL_SIZES: readonly (readonly [unit: string, bytes: number])[] = [
  ['B', 1],
  ['kB', DECIMAL],
  ['MB', DECIMAL ** 2],
  ['GB', DECIMAL ** 3],
  ['TB', DECIMAL ** 4],
  ['PB', DECIMAL ** 5],
]

const BINARY_SIZES: readonly (readonly [unit: string, bytes: number])[] = [
  ['KiB', BINARY],
  ['MiB', BINARY ** 2],
  ['GiB', BINARY ** 3],
  ['TiB', BINARY ** 4],
  ['PiB', BINARY ** 5],
]

/** Each unit with its B and without. */
const UNIT_BYTES: ReadonlyMap<string, number> = new Map(
  [...DECIMAL_SIZES, ...BINARY_SIZES].flatMap(([unit, bytes]): [string, number][] => [
    [unit.toLowerCase(), bytes],
    [unit.toLowerCase().slice(0, -1), bytes],
  ]),
)

/** What a size looks like as text: `1MB` (1000 x 1000), `64MiB` (64 x 1024 x 1024), or a bare number of bytes. */
export const SIZE_PATTERN: RegExp = /^\d+(?:\.\d+)? ?(?:[bB]|[kKmMgGtTpP](?:[iI]?[bB]?))?$/

/**
 * Reads a size: `kB`, `MB`, `GB`, `TB`, `PB` are powers of 1000, `KiB`, `MiB` and so on powers of 1024,
 * in any case; a bare number counts bytes. Returns whole bytes, or `undefined` where the text is no size.
 */
export function parseSize(given: string | number): number | undefined {
  if (typeof given === 'number') return Number.isSafeInteger(given) && given >= 0 ? given : undefined
  const text = given.trim()
  if (!SIZE_PATTERN.test(text)) return undefined
  const bytes = bytesIn(text)
  if (bytes === undefined) return undefined
  const rounded = Math.round(bytes)
  // Decimal fractions of a unit are inexact in binary: 1.001 kB is 1000.9999999999999 bytes.
  return Number.isSafeInteger(rounded) && Math.abs(bytes - rounded) < 1e-6 ? rounded : undefined
}

/**
 * Returns the bytes, whole or not, of a number with a unit in any case, or without one; `undefined` where the text
 * is something else.
 */
export function bytesIn(text: string): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?|\.\d+) ?([a-z]*)$/.exec(text.toLowerCase()) ?? []
  const unitBytes = UNIT_BYTES.get(unit ?? '')
  return number === undefined || unitBytes === undefined ? undefined : Number(number) * unitBytes
}

/** Writes a size in the largest unit that divides it, so that {@link parseSize} reads the same number back. */
export function formatSize(bytes: number): string {
  if (bytes === 0) return '0B'
  const fitting = [...DECIMAL_SIZES, ...BINARY_SIZES].filter(([, unitBytes]) => bytes % unitBytes === 0)
  const [unit, unitBytes] = fitting.reduce((best, next) => (next[1] > best[1] ? next : best), ['B', 1])
  return `${bytes / unitBytes}${unit}`
}
