import { closeSync, openSync, readSync } from 'node:fs'

/** A process with a place in LMDB's table of readers. */
export interface Reader {
  readonly processId: number
  /** The transaction whose pages it keeps from being used again; `null` while it reads nothing. */
  readonly transaction: string | null
}

// The layout of the lock file of the pinned lmdb on 64-bit Linux (struct MDB_txninfo in mdb.c).
/** Where the number of the last transaction is, as 64 bits, low byte first. */
export const LAST_TRANSACTION_OFFSET: number = 8
/** Where the number of slots is that have been used. */
export const COUNT_OFFSET: number = 16
/** Where the slots for readers begin. */
export const SLOTS_OFFSET: number = 208
/** What each slot takes. */
export const SLOT_BYTES: number = 64
const IDLE = 0xffff_ffff_ffff_ffffn

/** Who reads a store now, and its newest transaction. */
export interface ReaderTable {
  readonly newestTransaction: string
  readonly readers: readonly Reader[]
}

/**
 * Reads the table of readers from the lock file of a store; `null` where there is none. Only before this
 * process opens the store: closing the file would drop the locks that LMDB holds on it.
 */
export function readReaders(storePath: string): ReaderTable | null {
  let file: number
  try {
    file = openSync(`${storePath}-lock`, 'r')
  } catch {
    return null
  }
  try {
    const bytes = Buffer.alloc(64 * 1024)
    const length = readSync(file, bytes, 0, bytes.length, 0)
    if (length < SLOTS_OFFSET) return null
    const readers: Reader[] = []
    const count = bytes.readUInt32LE(COUNT_OFFSET)
    for (let slot = 0; slot < count; slot += 1) {
      const offset = SLOTS_OFFSET + slot * SLOT_BYTES
      if (offset + SLOT_BYTES > length) break
      const processId = bytes.readUInt32LE(offset + 8)
      const transaction = bytes.readBigUInt64LE(offset)
      if (processId === 0) continue
      readers.push({ processId, transaction: transaction === IDLE ? null : String(transaction) })
    }
    return { newestTransaction: String(bytes.readBigUInt64LE(LAST_TRANSACTION_OFFSET)), readers }
  } finally {
    closeSync(file)
  }
}
