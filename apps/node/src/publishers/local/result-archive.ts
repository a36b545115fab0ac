import { createHash } from 'node:crypto'
import type { BigIntStats } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { openPlain } from '../../compute/files/open-inside.ts'
import type { ResultArchive } from '../../link/link.ts'
import { paddingOf, TAR_BLOCK_BYTES, type TarEntry, tarHeader } from './tar-header.ts'

/** What is read of an archive. */
export interface ArchiveRange {
  readonly from: number
  /** The first byte that is not read any more. */
  readonly to: number
  readonly signal: AbortSignal
}

/** An archive with the place of each of its entries. */
export interface ArchivePlan extends ResultArchive {
  readonly directory: string
  readonly tarBytes: number
  readonly entries: readonly PlannedEntry[]
}

interface PlannedEntry extends TarEntry {
  /** Where its header begins in the tar. */
  readonly at: number
}

/** Two empty units end a tar. */
const TAR_END_BYTES = 2 * TAR_BLOCK_BYTES
/** No name, no time, an unknown system: nothing in it that could be another one tomorrow. */
const GZIP_HEAD = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])
const GZIP_TAIL_BYTES = 8
/** What is before each block that is stored as it is. */
const STORED_HEAD_BYTES = 5
const STORED_BYTES = 65_535
/** So much of the tar is a member of its own, whose sum needs nothing of the others. */
const MEMBER_BYTES = 64 * STORED_BYTES
const READ_BYTES = 256 * 1024

/**
 * Looks at published results and works out their archive: a tar.gz whose blocks are stored and not compressed, in
 * members of some 4 MiB (RFC 1952, 2.2). So every byte of it follows from the results alone, whatever release of
 * whatever library reads them, its length is known before it is read, and any part of it can be read without the
 * members before. Links and special files are left out.
 */
export async function planArchive(directory: string): Promise<ArchivePlan> {
  const entries: PlannedEntry[] = []
  const hash = createHash('sha256').update(`members of ${MEMBER_BYTES}`)
  let at = 0
  const add = (entry: TarEntry, { mtimeNs }: BigIntStats): void => {
    entries.push({ ...entry, at })
    hash.update(JSON.stringify([entry.name, entry.kind, entry.bytes, entry.executable, String(mtimeNs)]))
    at += tarHeader(entry).length + entry.bytes + paddingOf(entry.bytes)
  }
  const look = async (below: string): Promise<void> => {
    const names = await readdir(join(directory, below))
    for (const name of names.sort(byBytes)) {
      const path = below === '' ? name : `${below}/${name}`
      const stats = await lstat(join(directory, path), { bigint: true })
      if (stats.isDirectory()) {
        add({ name: path, kind: 'directory', bytes: 0, executable: false }, stats)
        await look(path)
      } else if (stats.isFile()) {
        const executable = (stats.mode & 0o100n) !== 0n
        add({ name: path, kind: 'file', bytes: Number(stats.size), executable }, stats)
      }
    }
  }
  await look('')
  const tarBytes = at + TAR_END_BYTES
  const whole = Math.floor(tarBytes / MEMBER_BYTES)
  const bytes = whole * packedBytes(MEMBER_BYTES) + packedBytes(tarBytes - whole * MEMBER_BYTES)
  return { directory, entries, tarBytes, bytes, tag: hash.digest('hex').slice(0, 32) }
}

/** The order of a locale could be another one elsewhere. */
function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/** The length of a member with so much of the tar. */
function packedBytes(bytes: number): number {
  if (bytes === 0) return 0
  return GZIP_HEAD.length + Math.ceil(bytes / STORED_BYTES) * STORED_HEAD_BYTES + bytes + GZIP_TAIL_BYTES
}

/** Yields a part of an archive. Throws where a file is not any more as it was planned. */
export async function* readArchive(
  plan: ArchivePlan,
  { from, to, signal }: ArchiveRange,
): AsyncGenerator<Buffer, void, undefined> {
  const first = Math.floor(from / packedBytes(MEMBER_BYTES))
  let at = first * packedBytes(MEMBER_BYTES)
  for (let begin = first * MEMBER_BYTES; begin < plan.tarBytes && at < to; begin += MEMBER_BYTES) {
    const end = Math.min(begin + MEMBER_BYTES, plan.tarBytes)
    for await (const piece of readMember(plan, { from: begin, to: end, signal })) {
      const wanted = piece.subarray(Math.max(0, from - at), Math.max(0, to - at))
      at += piece.length
      if (wanted.length > 0) yield wanted
      if (at >= to) return
    }
  }
}

/** Yields the member of a part of the tar. */
async function* readMember(plan: ArchivePlan, range: ArchiveRange): AsyncGenerator<Buffer, void, undefined> {
  yield GZIP_HEAD
  const bytes = range.to - range.from
  let left = bytes
  let sum = 0
  for await (const piece of inBlocks(readTar(plan, range))) {
    sum = crc32(piece, sum)
    left -= piece.length
    const head = Buffer.alloc(STORED_HEAD_BYTES)
    head.writeUInt8(left === 0 ? 1 : 0, 0)
    head.writeUInt16LE(piece.length, 1)
    head.writeUInt16LE(0xffff - piece.length, 3)
    yield Buffer.concat([head, piece])
  }
  const tail = Buffer.alloc(GZIP_TAIL_BYTES)
  tail.writeUInt32LE(sum, 0)
  tail.writeUInt32LE(bytes, 4)
  yield tail
}

/** Yields what comes in pieces of one size; only the last one is shorter. */
async function* inBlocks(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let kept: Buffer[] = []
  let bytes = 0
  for await (const piece of pieces) {
    kept.push(piece)
    bytes += piece.length
    if (bytes < STORED_BYTES) continue
    const all = Buffer.concat(kept)
    let at = 0
    for (; bytes - at >= STORED_BYTES; at += STORED_BYTES) yield all.subarray(at, at + STORED_BYTES)
    kept = [all.subarray(at)]
    bytes -= at
  }
  if (bytes > 0) yield Buffer.concat(kept)
}

async function* readTar(plan: ArchivePlan, range: ArchiveRange): AsyncGenerator<Buffer, void, undefined> {
  const { to, signal } = range
  let at = range.from
  const within = (piece: Buffer, begins: number): Buffer =>
    piece.subarray(Math.max(0, at - begins), Math.max(0, to - begins))
  for (let index = entryAt(plan, at); index < plan.entries.length && at < to; index += 1) {
    const entry = plan.entries[index] as PlannedEntry
    const head = tarHeader(entry)
    const contents = entry.at + head.length
    if (at < contents) {
      const piece = within(head, entry.at)
      yield piece
      at += piece.length
    }
    const end = contents + entry.bytes
    if (at < end && at < to) {
      const part = { from: at - contents, to: Math.min(end, to) - contents, signal }
      for await (const piece of readFilePart(join(plan.directory, entry.name), entry.bytes, part)) {
        yield piece
        at += piece.length
      }
    }
    const padded = end + paddingOf(entry.bytes)
    if (at < padded && at < to) {
      const zeros = Buffer.alloc(Math.min(padded, to) - at)
      yield zeros
      at += zeros.length
    }
  }
  if (at < to) yield Buffer.alloc(to - at)
}

/** Returns the index of the entry that a byte of the tar belongs to. */
function entryAt({ entries }: ArchivePlan, at: number): number {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((entries[middle] as PlannedEntry).at <= at) low = middle + 1
    else high = middle
  }
  return Math.max(0, low - 1)
}

async function* readFilePart(
  path: string,
  bytes: number,
  { from, to, signal }: ArchiveRange,
): AsyncGenerator<Buffer, void, undefined> {
  const file = await openPlain(path)
  try {
    const stats = await file.stat()
    if (!stats.isFile() || stats.size !== bytes) throw new Error(`${path} has changed while it was read`)
    for (let at = from; at < to; ) {
      signal.throwIfAborted()
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(Math.min(READ_BYTES, to - at)), {
        position: at,
      })
      if (bytesRead === 0) throw new Error(`${path} has become shorter while it was read`)
      yield buffer.subarray(0, bytesRead)
      at += bytesRead
    }
  } finally {
    await file.close()
  }
}
