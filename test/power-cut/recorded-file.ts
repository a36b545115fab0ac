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

/** What a file holds: what is on disk for certain, and what may be. */
export class RecordedFile {
  inode: string
  #durable: Buffer
  #pending: FileChange[] = []

  constructor(inode: string, content: Buffer = Buffer.alloc(0)) {
    this.inode = inode
    this.#durable = content
  }

  add(change: FileChange): void {
    this.#pending.push(change)
  }

  sync(): void {
    if (this.#pending.length === 0) return
    this.#durable = this.content({ change: () => true, block: () => true })
    this.#pending = []
  }

  /** Returns what is there after a power cut. */
  content(survival: Survival): Buffer {
    const kept = this.#pending.flatMap((change) => survivors(change, survival))
    const ends = kept.map(({ at, bytes }) => at + (bytes?.length ?? 0))
    const content = Buffer.alloc(Math.max(this.#durable.length, ...ends))
    this.#durable.copy(content)
    let length = this.#durable.length
    for (const { at, bytes } of kept) {
      if (bytes === undefined) {
        content.fill(0, Math.min(at, length), Math.max(at, length))
        length = at
      } else {
        bytes.copy(content, at)
        length = Math.max(length, at + bytes.length)
      }
    }
    return content.subarray(0, length)
  }
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
