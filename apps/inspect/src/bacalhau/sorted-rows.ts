import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { type KvRow, STORE_TABLES } from '@saltcod/store-core/backend'
import type { LoadRow } from '@saltcod/store-core/format'
import type { LoadBatch } from '@saltcod/store-lmdb'

/** So much is sorted at once; a row is shorter. */
const RUN_BYTES = 32 * 1024 * 1024
/** So much of a run is written at once. */
const WRITE_BYTES = 1024 * 1024
/** All runs together are read by so much at once. */
const READ_BYTES = 32 * 1024 * 1024
const LEAST_READ_BYTES = 16 * 1024
const MOST_READ_BYTES = 1024 * 1024
const BATCH_ROWS = 1_000
const BATCH_BYTES = 1024 * 1024

/** A row on its way: the number of its table, the lengths of key and value, then both. */
const HEAD_BYTES = 7
const KEY_LENGTH_AT = 1
const VALUE_LENGTH_AT = 3

/**
 * Brings rows into the order of their tables and keys, in constant memory: they are sorted part by part, each part
 * goes into a file, and all files are merged at the end.
 */
export class SortedRows {
  readonly #directory: string
  readonly #part: Buffer = Buffer.allocUnsafe(RUN_BYTES)
  readonly #runs: string[] = []
  #used = 0
  #starts: number[] = []
  /** How many rows there are. */
  rows = 0

  /** Takes a directory in which files may be made; they are removed once they were read. */
  constructor(directory: string) {
    this.#directory = directory
  }

  /** Adds rows, in any order. Throws what the system says of a full disk. */
  add(rows: readonly LoadRow[]): void {
    for (const { table, key, value } of rows) {
      const length = HEAD_BYTES + key.length + value.length
      if (this.#used + length > RUN_BYTES) this.#writeRun()
      const start = this.#used
      this.#part[start] = STORE_TABLES.indexOf(table)
      this.#part.writeUInt16LE(key.length, start + KEY_LENGTH_AT)
      this.#part.writeUInt32LE(value.length, start + VALUE_LENGTH_AT)
      this.#part.set(key, start + HEAD_BYTES)
      this.#part.set(value, start + HEAD_BYTES + key.length)
      this.#used += length
      this.#starts.push(start)
      this.rows += 1
    }
  }

  /** Gives all rows in order, in batches of one table each. Nothing can be added any more. */
  async *batches(): AsyncGenerator<LoadBatch> {
    this.#writeRun()
    const share = Math.floor(READ_BYTES / Math.max(1, this.#runs.length))
    const bytes = Math.min(Math.max(share, LEAST_READ_BYTES), MOST_READ_BYTES)
    const heap = new RunHeap(this.#runs.map((path) => new Run(path, bytes)))
    try {
      let rows: KvRow[] = []
      let table = -1
      let size = 0
      for (let run = heap.first; run !== undefined; run = heap.first) {
        if (run.table !== table || rows.length >= BATCH_ROWS || size >= BATCH_BYTES) {
          if (rows.length > 0) yield { table: STORE_TABLES[table] ?? '', rows }
          rows = []
          size = 0
          table = run.table
        }
        const row = run.take()
        rows.push(row)
        size += row.key.length + row.value.length
        heap.moved()
      }
      if (rows.length > 0) yield { table: STORE_TABLES[table] ?? '', rows }
    } finally {
      heap.close()
    }
  }

  #writeRun(): void {
    if (this.#starts.length === 0) return
    const part = this.#part
    const keyEnd = (start: number): number => start + HEAD_BYTES + part.readUInt16LE(start + KEY_LENGTH_AT)
    const order = Uint32Array.from(this.#starts).sort(
      (a, b) =>
        (part[a] ?? 0) - (part[b] ?? 0) ||
        part.compare(part, b + HEAD_BYTES, keyEnd(b), a + HEAD_BYTES, keyEnd(a)),
    )
    const path = join(this.#directory, `rows-${this.#runs.length}`)
    const file = new RunFile(path)
    this.#runs.push(path)
    try {
      for (const start of order) {
        file.add(part.subarray(start, keyEnd(start) + part.readUInt32LE(start + VALUE_LENGTH_AT)))
      }
      file.flush()
    } finally {
      file.close()
    }
    this.#used = 0
    this.#starts = []
  }
}

/** The file of a sorted part as it is written, some rows at a time. */
class RunFile {
  readonly #file: number
  readonly #gathered: Buffer = Buffer.allocUnsafe(WRITE_BYTES)
  #end = 0

  constructor(path: string) {
    this.#file = openSync(path, 'wx', 0o600)
  }

  add(row: Buffer): void {
    if (this.#end + row.length > WRITE_BYTES) this.flush()
    if (row.length > WRITE_BYTES) this.#write(row)
    else this.#end += row.copy(this.#gathered, this.#end)
  }

  flush(): void {
    this.#write(this.#gathered.subarray(0, this.#end))
    this.#end = 0
  }

  close(): void {
    closeSync(this.#file)
  }

  #write(bytes: Buffer): void {
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(this.#file, bytes, done, bytes.length - done)
    }
  }
}

/** A sorted part, which is read piece by piece. */
class Run {
  readonly #path: string
  readonly #file: number
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0
  #position = 0
  readonly #readBytes: number

  constructor(path: string, readBytes: number) {
    this.#path = path
    this.#file = openSync(path, 'r')
    this.#readBytes = readBytes
    this.#fill(HEAD_BYTES)
  }

  get isOver(): boolean {
    return this.#at >= this.#bytes.length
  }

  get table(): number {
    return this.#bytes[this.#at] ?? 0
  }

  /** Compares the rows that come next. */
  compare(other: Run): number {
    return this.table - other.table || Buffer.compare(this.#key, other.#key)
  }

  get #key(): Buffer {
    const start = this.#at + HEAD_BYTES
    return this.#bytes.subarray(start, start + this.#bytes.readUInt16LE(this.#at + KEY_LENGTH_AT))
  }

  /** Returns the next row, and goes on behind it. */
  take(): KvRow {
    const key = this.#key
    const start = this.#at + HEAD_BYTES + key.length
    const end = start + this.#bytes.readUInt32LE(this.#at + VALUE_LENGTH_AT)
    const row = { key, value: this.#bytes.subarray(start, end) }
    this.#at = end
    this.#fill(HEAD_BYTES)
    return row
  }

  close(): void {
    closeSync(this.#file)
    rmSync(this.#path)
  }

  /** Sees to it that the next row is there whole; what was given out stays as it is. */
  #fill(least: number): void {
    const left = this.#bytes.length - this.#at
    if (left < least) this.#read(least)
    if (this.isOver) return
    const whole =
      HEAD_BYTES +
      this.#bytes.readUInt16LE(this.#at + KEY_LENGTH_AT) +
      this.#bytes.readUInt32LE(this.#at + VALUE_LENGTH_AT)
    if (this.#bytes.length - this.#at < whole) this.#read(whole)
  }

  #read(least: number): void {
    const left = this.#bytes.subarray(this.#at)
    const bytes = Buffer.allocUnsafe(Math.max(this.#readBytes, least) + left.length)
    left.copy(bytes)
    let end = left.length
    while (end < bytes.length) {
      const count = readSync(this.#file, bytes, end, bytes.length - end, this.#position)
      if (count === 0) break
      end += count
      this.#position += count
    }
    this.#bytes = bytes.subarray(0, end)
    this.#at = 0
  }
}

/** Parts by the row that comes next in each, the first one on top. */
class RunHeap {
  readonly #all: readonly Run[]
  readonly #runs: Run[]

  constructor(runs: readonly Run[]) {
    this.#all = runs
    this.#runs = runs.filter((run) => !run.isOver).sort((a, b) => a.compare(b))
  }

  get first(): Run | undefined {
    return this.#runs[0]
  }

  /** Finds the place of the first one anew, whose row was taken. */
  moved(): void {
    const [top] = this.#runs
    if (top?.isOver === true) {
      const last = this.#runs.pop()
      if (last === undefined || this.#runs.length === 0) return
      this.#runs[0] = last
    }
    this.#sink()
  }

  close(): void {
    for (const run of this.#all) run.close()
  }

  #sink(): void {
    const runs = this.#runs
    for (let at = 0; ; ) {
      let least = at
      for (const child of [2 * at + 1, 2 * at + 2]) {
        const [below, first] = [runs[child], runs[least]]
        if (below !== undefined && first !== undefined && below.compare(first) < 0) least = child
      }
      const [here, there] = [runs[at], runs[least]]
      if (least === at || here === undefined || there === undefined) return
      runs[at] = there
      runs[least] = here
      at = least
    }
  }
}
