const SUFFIX_BYTES: ReadonlyMap<string, number> = new Map(
  ['', 'k', 'm', 'g', 't', 'p'].flatMap((letter, power): [string, number][] =>
    power === 0
      ? [
          ['', 1],
          ['b', 1],
        ]
      : [
          [letter, 1000 ** power],
          [`${letter}b`, 1000 ** power],
          [`${letter}i`, 1024 ** power],
          [`${letter}ib`, 1024 ** power],
        ],
  ),
)

const SHOWN_UNITS: readonly (readonly [string, number])[] = ['P', 'T', 'G', 'M', 'K'].flatMap(
  (letter, index): [string, number][] => [
    [`${letter}iB`, 1024 ** (5 - index)],
    [`${letter === 'K' ? 'k' : letter}B`, 1000 ** (5 - index)],
  ],
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
  const parts = /^([\d.]+) ?([a-z]*)$/.exec(text.toLowerCase())
  const bytes = Number(parts?.[1]) * (SUFFIX_BYTES.get(parts?.[2] ?? '') ?? Number.NaN)
  const rounded = Math.round(bytes)
  // Decimal fractions of a unit are inexact in binary: 1.001 kB is 1000.9999999999999 bytes.
  return Number.isSafeInteger(rounded) && Math.abs(bytes - rounded) < 1e-6 ? rounded : undefined
}

/** Writes a size in the largest unit that divides it, so that {@link parseSize} reads the same number back. */
export function formatSize(bytes: number): string {
  if (bytes === 0) return '0B'
  const byCount = SHOWN_UNITS.filter(([, unitBytes]) => bytes % unitBytes === 0)
  const [unit, unitBytes] = byCount.reduce((best, next) => (next[1] > best[1] ? next : best), ['B', 1])
  return `${bytes / unitBytes}${unit}`
}
