import type { LogStream } from '../../compute/keeper/work-files.ts'

const HEADER_BYTES = 8
/** A server that says more of one entry is not believed. */
const LONGEST_FRAME = 64 * 1024 * 1024
const STREAMS: Readonly<Record<number, LogStream>> = { 1: 'stdout', 2: 'stderr' }
const SPACE = 0x20
const LONGEST_TIME = 64

/** One entry of the log of a container. */
export interface LogEntry {
  readonly stream: LogStream
  /** The whole second in which it was written, since 1970. */
  readonly second: number
  readonly bytes: Buffer
}

/**
 * Reads the entries of a log, which was asked for with times, as many at a time as came: each has a header with its
 * stream and its length, then the time, a blank, and what the program wrote, to the byte. Throws where it is none.
 */
export async function* logEntries(
  answer: AsyncIterable<Buffer>,
): AsyncGenerator<readonly LogEntry[], void, undefined> {
  let rest: Buffer = Buffer.alloc(0)
  let chunks: Buffer[] = []
  let missing = 0
  for await (const chunk of answer) {
    // A long entry comes in many pieces, and is put together once.
    chunks.push(chunk)
    missing -= chunk.length
    if (missing > 0) continue
    rest = chunks.length === 1 ? chunk : Buffer.concat(chunks)
    let at = 0
    missing = HEADER_BYTES
    const entries: LogEntry[] = []
    while (rest.length - at >= HEADER_BYTES) {
      const length = rest.readUInt32BE(at + 4)
      const stream = STREAMS[rest[at] ?? 0]
      if (stream === undefined || length > LONGEST_FRAME) throw new Error('the log is not one of a container')
      const end = at + HEADER_BYTES + length
      missing = end - at
      if (rest.length < end) break
      entries.push(entryOf(stream, rest.subarray(at + HEADER_BYTES, end)))
      at = end
      missing = HEADER_BYTES
    }
    rest = rest.subarray(at)
    missing -= rest.length
    chunks = rest.length === 0 ? [] : [rest]
    if (entries.length > 0) yield entries
  }
}

function entryOf(stream: LogStream, frame: Buffer): LogEntry {
  const blank = frame.subarray(0, LONGEST_TIME).indexOf(SPACE)
  const time = Date.parse(frame.toString('latin1', 0, Math.max(blank, 0)))
  if (Number.isNaN(time)) throw new Error('an entry of the log has no time')
  return { stream, second: Math.floor(time / 1000), bytes: frame.subarray(blank + 1) }
}
