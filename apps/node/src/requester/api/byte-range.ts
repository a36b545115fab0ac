/** A part of a whole: from a byte to before another one. */
export interface ByteRange {
  readonly from: number
  readonly to: number
}

/**
 * Reads a Range header about so many bytes. Returns `null` where the whole is to be sent: there is none, or it is one
 * that need not be understood, such as several parts; `'unsatisfiable'` where nothing lies there.
 */
export function readByteRange(header: string | undefined, bytes: number): ByteRange | null | 'unsatisfiable' {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '')
  if (match === null) return null
  const [, first = '', last = ''] = match
  if (first === '') {
    if (last === '') return null
    const count = Math.min(Number(last), bytes)
    return count === 0 ? 'unsatisfiable' : { from: bytes - count, to: bytes }
  }
  const from = Number(first)
  const to = last === '' ? bytes : Math.min(Number(last) + 1, bytes)
  if (last !== '' && Number(last) < from) return null
  return from >= bytes ? 'unsatisfiable' : { from, to }
}
