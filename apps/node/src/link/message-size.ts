const NUMBER_BYTES = 8
const ENTRY_BYTES = 4

/**
 * Returns about how many bytes plain data takes as a message, at most a factor of two or so beside the truth; counts
 * no further than behind `enough`.
 */
export function roughBytes(message: unknown, enough: number = Number.POSITIVE_INFINITY): number {
  let bytes = 0
  const left: unknown[] = [message]
  while (left.length > 0 && bytes <= enough) {
    const value = left.pop()
    if (typeof value === 'string') bytes += value.length
    else if (value instanceof Uint8Array) bytes += value.byteLength
    else if (typeof value !== 'object' || value === null) bytes += NUMBER_BYTES
    else if (Array.isArray(value)) {
      bytes += ENTRY_BYTES * value.length
      for (const item of value) left.push(item)
    } else {
      for (const [key, item] of Object.entries(value)) {
        bytes += key.length + ENTRY_BYTES
        left.push(item)
      }
    }
  }
  return bytes
}
