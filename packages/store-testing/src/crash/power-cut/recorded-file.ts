/** A disk writes so many bytes whole or not at all. */
const BLOCK_BYTES = 512

/** Tells what reaches the disk of that which was not synced. */
export interface Survival {
  /** Whether a change does, whole. */
  change(): boolean
  /** Whether a block of a write does that is not there whole. */
  block(): boolean
}

/** One change of a file that may not have reached the disk yet. */
interface FileChange {
  readonly at: number
  /** Absent where the file was cut off there. */
  readonly bytes?: Buffer
  /** Written through a descriptor that waits for the disk. */
  readonly durable: boolean
}

/** What is in a file: some bytes, and zeros behind them, of which a store keeps many in reserve. */
export interface FileContent {
  readonly bytes: Buffer
  /** With the zeros. */
  readonly length: number
}

/** What a file holds: what is on disk for certain, and what may be. */
export class RecordedFile {
  inode: string
  /** Behind its first `#used` bytes there are only zeros. */
  #durable: Buffer
  #used: number
  #length: number
  /** Whether somebody else has the bytes too, so that they must not change. */
  #lent = true
  #pending: FileChange[] = []

  constructor(inode: string, { bytes, length }: FileContent = { bytes: Buffer.alloc(0), length: 0 }) {
    this.inode = inode
    this.#durable = bytes
    this.#used = bytes.length
    this.#length = length
  }

  add(change: FileChange): void {
    this.#pending.push(change)
  }

  sync(): void {
    for (const change of this.#pending) this.#apply(change)
    this.#pending = []
  }

  /** Returns what is there after a power cut; its bytes are not to be changed. */
  content(survival: Survival): FileContent {
    const kept = this.#pending.flatMap((change) => survivors(change, survival))
    const durable = this.#lend()
    if (kept.length === 0) return durable
    const file = new RecordedFile(this.inode, durable)
    for (const change of kept) file.#apply(change)
    return file.#lend()
  }

  #lend(): FileContent {
    this.#lent = true
    return { bytes: this.#durable.subarray(0, this.#used), length: this.#length }
  }

  #apply({ at, bytes }: FileChange): void {
    if (bytes === undefined) {
      this.#used = Math.min(this.#used, at)
      this.#length = at
      return
    }
    const end = at + bytes.length
    this.#length = Math.max(this.#length, end)
    if (at >= this.#used && isZero(bytes)) return
    this.#makeOwn(end)
    if (at > this.#used) this.#durable.fill(0, this.#used, at)
    bytes.copy(this.#durable, at)
    this.#used = Math.max(this.#used, end)
  }

  /** Makes so much room in a buffer that nobody else has. */
  #makeOwn(length: number): void {
    if (!this.#lent && length <= this.#durable.length) return
    const size = Math.max(length, this.#used)
    const own = Buffer.allocUnsafe(size + (size >> 3) + 4_096)
    this.#durable.copy(own, 0, 0, this.#used)
    this.#durable = own
    this.#lent = false
  }
}

const ZEROS = Buffer.alloc(64 * 1024)

function isZero(bytes: Buffer): boolean {
  for (let from = 0; from < bytes.length; from += ZEROS.length) {
    const to = Math.min(bytes.length, from + ZEROS.length)
    if (bytes.compare(ZEROS, 0, to - from, from, to) !== 0) return false
  }
  return true
}

function survivors(change: FileChange, survival: Survival): FileChange[] {
  if (change.durable || survival.change()) return [change]
  const { at, bytes } = change
  if (bytes === undefined) return []
  const blocks: FileChange[] = []
  for (let from = at; from < at + bytes.length; ) {
    const to = Math.min(at + bytes.length, (Math.floor(from / BLOCK_BYTES) + 1) * BLOCK_BYTES)
    if (survival.block()) blocks.push({ at: from, bytes: bytes.subarray(from - at, to - at), durable: false })
    from = to
  }
  return blocks
}
