import { DECIMAL_SIZES } from '@saltcod/units'

/** Writes bytes in a unit that people read, in powers of 1000: `512 B`, `1.4 MB`. */
export function bytesText(bytes: number): string {
  const [unit, unitBytes] = DECIMAL_SIZES.findLast(([, size]) => Math.abs(bytes) >= size) ?? ['B', 1]
  const value = bytes / unitBytes
  return `${unit === 'B' || value >= 100 ? Math.round(value) : value.toFixed(1)} ${unit}`
}
