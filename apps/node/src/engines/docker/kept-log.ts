import { type FileHandle, open } from 'node:fs/promises'
import { systemCode } from '../../system-code.ts'

const LINE_END = 0x0a
const LONGEST_LAST_LINE = 64 * 1024

/** The log file of one stream of a container: what is there stays, and at most a number of bytes are kept. */
export class KeptLog {
  readonly #path: string
  readonly #limitBytes: number
  #file: FileHandle | undefined
  #length = 0
  #capped = false

  constructor(path: string, limitBytes: number) {
    this.#path = path
    this.#limitBytes = limitBytes
  }

  /** How many bytes are kept. */
  get length(): number {
    return this.#length
  }

  /** True when something was dropped: beyond the limit, or because the disk took no more. */
  get capped(): boolean {
    return this.#capped
  }

  /** Finds out what an earlier process of the node has kept. */
  async find(): Promise<void> {
    try {
      this.#file = await open(this.#path, 'r+')
      this.#length = (await this.#file.stat()).size
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') this.#capped = true
    }
  }

  /**
   * Keeps bytes that stand at some place of the stream; of what is there already nothing is written again, but its
   * last line, which may have been read before it was whole. Answers with false, and writes nothing, where they are
   * other bytes than are there.
   */
  async write(bytes: Buffer, at: number): Promise<boolean> {
    if (this.#capped) return true
    const known = bytes.subarray(0, Math.max(this.#length - at, 0))
    const there = await this.#read(at, known.length)
    if (!there.equals(known)) {
      const same = at + there.findIndex((byte, index) => byte !== known[index])
      if (same < (await this.#lastLineAt())) return false
      await this.#cut(same)
    }
    await this.#append(bytes.subarray(Math.max(this.#length - at, 0)))
    return true
  }

  /** Adds a line of the node's own. */
  async note(text: string): Promise<void> {
    if (this.#capped) return
    const isWithin = this.#length > 0 && (await this.#read(this.#length - 1, 1))[0] !== LINE_END
    await this.#append(Buffer.from(`${isWithin ? '\n' : ''}[saltcod: ${text}]\n`))
  }

  /** Where the line begins that comes last; of a long one, not before its end. */
  async #lastLineAt(): Promise<number> {
    const from = Math.max(this.#length - LONGEST_LAST_LINE, 0)
    const bytes = await this.#read(from, this.#length - from)
    return from + bytes.subarray(0, -1).lastIndexOf(LINE_END) + 1
  }

  async #read(at: number, length: number): Promise<Buffer> {
    if (length === 0 || this.#file === undefined) return Buffer.alloc(0)
    const bytes = Buffer.alloc(length)
    const { bytesRead } = await this.#file.read(bytes, 0, length, at)
    return bytes.subarray(0, bytesRead)
  }

  async #cut(length: number): Promise<void> {
    await this.#file?.truncate(length)
    this.#length = length
  }

  async #append(fresh: Buffer): Promise<void> {
    const kept = fresh.subarray(0, Math.max(this.#limitBytes - this.#length, 0))
    if (kept.length < fresh.length) this.#capped = true
    if (kept.length === 0) return
    try {
      this.#file ??= await open(this.#path, 'w+', 0o600)
      for (let done = 0; done < kept.length; ) {
        const { bytesWritten } = await this.#file.write(kept, done, kept.length - done, this.#length)
        done += bytesWritten
        this.#length += bytesWritten
      }
    } catch {
      // A full disk ends the log, not the job.
      this.#capped = true
    }
  }

  /** Puts what is kept on disk, and closes the file. */
  async close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    if (file === undefined) return
    try {
      if (this.#length > 0) await file.sync()
    } catch {
      this.#capped = true
    } finally {
      await file.close()
    }
  }
}
