import { readSync } from 'node:fs'
import { systemError } from '../refusal.ts'
import { type Block, blockOf } from './page.ts'

/** What is read at once, for the pages of a bucket often lie near each other; more would cost where they do not. */
const BLOCK_BYTES = 16 * 1024
/** Blocks share memory in so large pieces, for to get and to give back memory costs as much as to read. */
const SLAB_BYTES = 64 * 1024
const MOST_BLOCKS = 256

/** Reads a file, and keeps what was read last. */
export class BlockCache {
  /** Bytes of a block: a power of two, and no less than a page. */
  readonly blockBytes: number
  /** Bytes that were read from the file until now. */
  bytesRead = 0
  readonly #path: string
  readonly #file: number
  /** Blocks by their number; the oldest one goes first. */
  readonly #blocks = new Map<number, Block>()
  /** Blocks that went, to which somebody may still have views. */
  #gone: Block[] = []
  /** Blocks that nobody has views of, to be written again. */
  #spare: Block[] = []
  #slab: Buffer = Buffer.alloc(0)
  #slabUsed = 0

  constructor(path: string, file: number, pageBytes: number) {
    this.#path = path
    this.#file = file
    this.blockBytes = Math.max(BLOCK_BYTES, pageBytes)
  }

  /** A block by its number; shorter where the file ends in it. */
  block(number: number): Block {
    const kept = this.#blocks.get(number)
    if (kept !== undefined) return kept
    const room = this.#spare.pop() ?? this.#room()
    const bytes = this.#fill(room.bytes, number * this.blockBytes)
    const block = bytes === room.bytes ? room : blockOf(bytes)
    this.#blocks.set(number, block)
    if (this.#blocks.size > MOST_BLOCKS) this.#forgetOldest()
    return block
  }

  /** Bytes anywhere in the file; fewer where it ends before. */
  read(position: number, length: number): Buffer {
    return this.#fill(Buffer.allocUnsafeSlow(length), position)
  }

  /** Forgets what was read, for the file is another now. */
  forget(): void {
    for (const block of this.#blocks.values()) this.#putAside(block)
    this.#blocks.clear()
  }

  /** From now on nobody looks at blocks any more that went: they may be written again. */
  reuse(): void {
    if (this.#gone.length === 0) return
    if (this.#spare.length === 0) [this.#spare, this.#gone] = [this.#gone, this.#spare]
    else
      for (let block = this.#gone.pop(); block !== undefined; block = this.#gone.pop())
        this.#spare.push(block)
  }

  #forgetOldest(): void {
    for (const [number, block] of this.#blocks) {
      this.#blocks.delete(number)
      this.#putAside(block)
      return
    }
  }

  #putAside(block: Block): void {
    const isWhole = block.bytes.length === this.blockBytes
    if (isWhole && this.#gone.length + this.#spare.length < MOST_BLOCKS) this.#gone.push(block)
  }

  #room(): Block {
    const { blockBytes } = this
    if (this.#slabUsed + blockBytes > this.#slab.length) {
      this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, blockBytes))
      this.#slabUsed = 0
    }
    this.#slabUsed += blockBytes
    return blockOf(this.#slab.subarray(this.#slabUsed - blockBytes, this.#slabUsed))
  }

  #fill(bytes: Buffer, position: number): Buffer {
    let done = 0
    try {
      while (done < bytes.length) {
        const count = readSync(this.#file, bytes, done, bytes.length - done, position + done)
        if (count === 0) break
        done += count
      }
    } catch (error) {
      throw systemError(this.#path, error)
    }
    this.bytesRead += done
    return done === bytes.length ? bytes : bytes.subarray(0, done)
  }
}
