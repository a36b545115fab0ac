import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

import { describeForeign, LMDB_MAGIC } from './foreign-format.ts'
import { hasMagic, META_BYTES, type Meta, parseMeta } from './meta-page.ts'
import { damagedError, foreignError, permissionError, systemCode } from './refusal.ts'

/** Enough to recognise other formats, whose second page may be at 64 KiB. */
const HEAD_BYTES = 65_536 + 64

const BRANCH_OR_LEAF = 0x03
const PAGE_KINDS = 0x7f

/**
 * Reads the meta pages and the roots of a data file and refuses what LMDB could not open: opening it would
 * end the process. Throws `STORE_FOREIGN`, `STORE_DAMAGED` or `STORE_PERMISSION`; writes nothing.
 */
export function probeDataFile(path: string): void {
  withFile(path, (file) => {
    const size = fstatSync(file).size
    const head = readAt(file, 0, HEAD_BYTES)
    if (size === 0) throw damagedError(path, 'it is empty, as after a creation that was interrupted')
    if (head.every((byte) => byte === 0)) throw damagedError(path, 'it begins with nothing but zeros')
    if (!hasMagic(head)) {
      const second = readAt(file, 4_096, META_BYTES)
      if (hasMagic(second)) throw damagedError(path, 'its first page is lost')
      throw foreignError(path, describeForeign(head))
    }
    const meta = newestMeta(path, file, head)
    if (size < (meta.lastPage + 1) * meta.pageBytes) {
      throw damagedError(
        path,
        `it has ${size} bytes where ${(meta.lastPage + 1) * meta.pageBytes} are in use`,
      )
    }
    for (const root of meta.roots) if (root !== undefined) probeTreePage(path, file, root, meta.pageBytes)
  })
}

/**
 * Refuses a lock file that LMDB could not use. An empty one is fine: LMDB fills it. Only for a file that
 * this process has not open: closing it would drop the locks that LMDB holds on it.
 * Throws `STORE_DAMAGED` or `STORE_PERMISSION`.
 */
export function probeLockFile(path: string): void {
  withFile(path, (file) => {
    const head = readAt(file, 0, 4)
    if (head.length === 0) return
    const magic = head.length === 4 ? head.readUInt32LE(0) : 1
    if (magic === LMDB_MAGIC || magic === 0) return
    throw damagedError(path, 'its lock file holds something else; stop all its readers and remove that file')
  })
}

function newestMeta(path: string, file: number, head: Buffer): Meta {
  const first = parseMeta(head)
  if (typeof first === 'string') throw damagedError(path, first)
  const second = parseMeta(readAt(file, first.pageBytes, META_BYTES))
  if (typeof second === 'string') throw damagedError(path, second)
  if (first.pageBytes !== second.pageBytes) throw damagedError(path, 'its meta pages disagree')
  if (first.transaction === second.transaction) return first
  const newest = first.transaction > second.transaction ? first : second
  if (newest.transaction % 2n !== (newest === first ? 0n : 1n)) {
    throw damagedError(path, 'its meta pages are in the wrong order')
  }
  return newest
}

function probeTreePage(path: string, file: number, number: number, pageBytes: number): void {
  const page = readAt(file, number * pageBytes, 24)
  const sound =
    page.length === 24 &&
    page.readBigUInt64LE(0) === BigInt(number) &&
    isTreeKind(page.readUInt16LE(18) & PAGE_KINDS) &&
    page.readUInt16LE(20) <= page.readUInt16LE(22) &&
    page.readUInt16LE(22) <= pageBytes
  if (!sound) throw damagedError(path, `page ${number}, the root of a tree, is not one`)
}

function isTreeKind(kind: number): boolean {
  return (kind & BRANCH_OR_LEAF) !== 0 && (kind & ~BRANCH_OR_LEAF) === 0 && kind !== BRANCH_OR_LEAF
}

function withFile(path: string, body: (file: number) => void): void {
  const file = openForReading(path)
  try {
    body(file)
  } finally {
    closeSync(file)
  }
}

function openForReading(path: string): number {
  try {
    return openSync(path, 'r')
  } catch (error) {
    throw permissionError(path, `it cannot be read (${systemCode(error) ?? 'unknown error'})`, error)
  }
}

/** Reads up to so many bytes; fewer at the end of the file. */
function readAt(file: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  let done = 0
  while (done < length) {
    const count = readSync(file, bytes, done, length - done, position + done)
    if (count === 0) break
    done += count
  }
  return bytes.subarray(0, done)
}
