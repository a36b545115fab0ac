/** Writes bytes in a unit that people read, in powers of 1000: `512 B`, `1.4 MB`. */
export function bytesText(bytes: number): string {
  let value = bytes
  for (const unit of ['B', 'kB', 'MB', 'GB', 'TB']) {
    if (Math.abs(value) < 1_000 || unit === 'TB') {
      return `${unit === 'B' || value >= 100 ? Math.round(value) : value.toFixed(1)} ${unit}`
    }
    value /= 1_000
  }
  return `${bytes} B`
}
