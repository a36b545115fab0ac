import { type FileHandle, open } from 'node:fs/promises'

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
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) this.#capped = true
    }
  }

  /** Keeps bytes that stand at some place of the stream; what is there already is the same, and left out. */
  async write(bytes: Buffer, at: number): Promise<void> {
    if (this.#capped) return
    const fresh = bytes.subarray(Math.max(this.#length - at, 0))
    const kept = fresh.subarray(0, Math.max(this.#limitBytes - this.#length, 0))
    if (kept.length < fresh.length) this.#capped = true
    if (kept.length === 0) return
    try {
      this.#file ??= await open(this.#path, 'w', 0o600)
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

  /** Says that something was lost, and takes no more. */
  lose(): void {
    this.#capped = true
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
