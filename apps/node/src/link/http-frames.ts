import { toJson } from './http-messages.ts'
import { LINK_LIMITS } from './limits.ts'
import type { Chunk } from './link.ts'
import { LinkError } from './link-error.ts'

/** A part of the body in which a node supplies what was demanded. */
export type HttpFrame =
  | { readonly kind: 'chunk'; readonly chunk: Chunk }
  /** The last one; a body that ends without it was cut. */
  | { readonly kind: 'end'; readonly error: unknown }

const HEAD_BYTES = 5
const BYTES = 0x62
const JSON_TEXT = 0x6a
const END = 0x65
/** JSON writes a character as six bytes at most, and a log part has its position beside its text. */
const MOST_BYTES = LINK_LIMITS.chunk * 6 + 4096

/** Writes a frame: what it is, its length, and itself. */
export function writeFrame(frame: HttpFrame): Buffer {
  if (frame.kind === 'chunk' && frame.chunk instanceof Uint8Array) return framed(BYTES, frame.chunk)
  return frame.kind === 'chunk'
    ? framed(JSON_TEXT, Buffer.from(toJson(frame.chunk)))
    : framed(END, Buffer.from(JSON.stringify(frame.error)))
}

function framed(kind: number, content: Uint8Array): Buffer {
  const head = Buffer.alloc(HEAD_BYTES)
  head.writeUInt8(kind, 0)
  head.writeUInt32BE(content.byteLength, 1)
  return Buffer.concat([head, content])
}

/** Takes a body apart as it comes. */
export class FrameReader {
  #pieces: Buffer[] = []
  #bytes = 0

  /** Adds what came. */
  add(piece: Buffer): void {
    this.#pieces.push(piece)
    this.#bytes += piece.length
  }

  /** Returns the next frame; undefined where it is not whole yet. Throws `LINK_LIMIT`, `LINK_INVALID`. */
  next(): HttpFrame | undefined {
    if (this.#bytes < HEAD_BYTES) return undefined
    const [first] = this.#pieces
    const all = this.#pieces.length === 1 && first !== undefined ? first : Buffer.concat(this.#pieces)
    this.#pieces = [all]
    const bytes = all.readUInt32BE(1)
    if (bytes > MOST_BYTES) {
      throw new LinkError('LINK_LIMIT', `${bytes} bytes are in a chunk, and ${MOST_BYTES} may be`)
    }
    const end = HEAD_BYTES + bytes
    if (all.length < end) return undefined
    this.#pieces = [all.subarray(end)]
    this.#bytes = all.length - end
    return frameOf(all.readUInt8(0), all.subarray(HEAD_BYTES, end))
  }
}

function frameOf(kind: number, content: Buffer): HttpFrame {
  if (kind === BYTES) return { kind: 'chunk', chunk: new Uint8Array(content) }
  try {
    const value: unknown = JSON.parse(content.toString())
    if (kind === END) return { kind: 'end', error: value }
    if (kind === JSON_TEXT) return { kind: 'chunk', chunk: value as Chunk }
  } catch {
    // Said below.
  }
  throw new LinkError('LINK_INVALID', 'a chunk cannot be read')
}
