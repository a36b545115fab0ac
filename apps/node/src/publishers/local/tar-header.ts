/** A directory or a file of an archive. */
export interface TarEntry {
  /** The path from the top of the archive, without a slash at its end. */
  readonly name: string
  readonly kind: 'directory' | 'file'
  /** The length of a file; 0 of a directory. */
  readonly bytes: number
  readonly executable: boolean
}

/** The unit that a tar archive is made of. */
export const TAR_BLOCK_BYTES = 512

const NAME_BYTES = 100
/** Eleven octal digits. */
const MOST_BYTES = 8 ** 11 - 1
const PLAIN = /^[ -~]*$/

/** Returns how much is added to so many bytes until a unit is full. */
export function paddingOf(bytes: number): number {
  return (TAR_BLOCK_BYTES - (bytes % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES
}

/**
 * Writes what stands before an entry in a tar archive: POSIX.1-2001, with an extended header only where the older form
 * has no room for a name or a length. The same entry is always written alike: it belongs to nobody and has no time.
 */
export function tarHeader(entry: TarEntry): Buffer {
  const name = entry.kind === 'directory' ? `${entry.name}/` : entry.name
  const mode = entry.kind === 'directory' || entry.executable ? 0o755 : 0o644
  const type = entry.kind === 'directory' ? '5' : '0'
  const records = [
    ...(Buffer.byteLength(name) > NAME_BYTES || !PLAIN.test(name) ? [record('path', name)] : []),
    ...(entry.bytes > MOST_BYTES ? [record('size', String(entry.bytes))] : []),
  ]
  const own = header({ name, mode, type, bytes: Math.min(entry.bytes, MOST_BYTES) })
  if (records.length === 0) return own
  const extension = Buffer.concat(records)
  return Buffer.concat([
    header({ name: 'PaxHeader', mode: 0o644, type: 'x', bytes: extension.length }),
    extension,
    Buffer.alloc(paddingOf(extension.length)),
    own,
  ])
}

/** A record of an extended header begins with its own length, which counts itself. */
function record(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${key}=${value}\n`)
  let bytes = rest + String(rest).length
  if (rest + String(bytes).length !== bytes) bytes = rest + String(bytes).length
  return Buffer.from(`${bytes} ${key}=${value}\n`)
}

function header(fields: {
  readonly name: string
  readonly mode: number
  readonly type: string
  readonly bytes: number
}): Buffer {
  const block = Buffer.alloc(TAR_BLOCK_BYTES)
  const put = (at: number, text: string): void => {
    block.write(text, at)
  }
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`
  Buffer.from(fields.name).copy(block, 0, 0, NAME_BYTES)
  put(100, octal(fields.mode, 7))
  put(108, octal(0, 7))
  put(116, octal(0, 7))
  put(124, octal(fields.bytes, 11))
  put(136, octal(0, 11))
  put(148, ' '.repeat(8))
  put(156, fields.type)
  put(257, 'ustar\0')
  put(263, '00')
  let sum = 0
  for (const byte of block) sum += byte
  put(148, `${sum.toString(8).padStart(6, '0')}\0 `)
  return block
}
