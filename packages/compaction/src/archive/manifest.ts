import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import { StoreError } from '@saltcod/store-core'

import { explainFileError } from './durable-file.ts'

/** The name of the manifest in an archive's directory. */
export const MANIFEST_NAME = 'manifest.ndjson'

/** The first line of a manifest. */
export const MANIFEST_HEADER: string = JSON.stringify({ format: 'saltcod-archive', version: 1 })

/** The end of a line: CRC-32 of all before it. */
const CHECKSUM = /,"crc":"([0-9a-f]{8})"\}$/

/** A job in an archive. */
export interface ArchiveEntry {
  readonly id: string
  readonly namespace: string
  readonly name: string
  readonly state: string
  readonly revision: number
  readonly finishedAtMs: number | null
  readonly archivedAtMs: number
}

/** Where a job stands in the part of a segment. */
export interface IndexedJob extends Omit<ArchiveEntry, 'archivedAtMs'> {
  readonly firstLine: number
  readonly lines: number
}

/** A part of a segment that was written in one go: a gzip member of its own, with its place and checksum. */
export interface ManifestPart {
  readonly segment: string
  readonly offset: number
  readonly length: number
  /** Of the compressed bytes, as hexadecimal text. */
  readonly sha256: string
  readonly atMs: number
  readonly jobs: readonly IndexedJob[]
}

/** A line of the manifest: a part, chained to the line before it. */
type ManifestLine = ManifestPart & {
  /** SHA-256 of the line before, as hexadecimal text. */
  readonly previous: string
}

/** A place in the manifest. */
export interface ManifestEnd {
  /** Length of the whole lines, in bytes. */
  readonly bytes: number
  /** SHA-256 of the last line. */
  readonly sha256: string
}

/** A part with the end of its line. */
export interface ReadPart {
  readonly part: ManifestPart
  readonly end: ManifestEnd
}

/** What stands behind the last whole line of a manifest. */
export interface ManifestTail {
  /** Number of the line, from 1. */
  readonly line: number
  readonly bytes: number
  /**
   * `unfinished` without a newline, which is written when all else of the line is on disk: nobody was told of it.
   * `torn` with a newline and with zeros, which no line has: it was written in one go, as earlier releases did, and
   * did not reach the disk whole.
   */
  readonly kind: 'unfinished' | 'torn'
}

/** Hashes bytes or text, as hexadecimal text. */
export function sha256(data: Uint8Array | string): string {
  return createHash('sha256').update(data).digest('hex')
}

/** The end of a manifest that holds its first line alone. */
export const EMPTY_MANIFEST: ManifestEnd = {
  bytes: Buffer.byteLength(MANIFEST_HEADER) + 1,
  sha256: sha256(MANIFEST_HEADER),
}

/** Makes the line of a part that follows an end, without its newline. */
export function manifestLine(part: ManifestPart, { sha256: previous }: ManifestEnd): string {
  const text = JSON.stringify({ ...part, previous } satisfies ManifestLine).slice(0, -1)
  return `${text},"crc":"${checksumOf(text)}"}`
}

/**
 * Reads a manifest part by part, oldest first. What stands behind the last whole line and is not of the archive is
 * passed over, and `onTail` is told of it. Throws `STORE_FOREIGN`, `STORE_DAMAGED`, and what {@link explainFileError}
 * makes of a file that cannot be read.
 */
export async function* readManifest(
  path: string,
  onTail: (tail: ManifestTail) => void = () => undefined,
): AsyncGenerator<ReadPart> {
  let end: ManifestEnd | null = null
  let number = 0
  let torn: ManifestTail | null = null
  for await (const { line, ended } of linesOf(path)) {
    if (torn !== null) throw damagedManifest(path, torn.line)
    number += 1
    if (end === null) {
      if (!ended || line.toString() !== MANIFEST_HEADER) throw foreignManifest(path)
      end = EMPTY_MANIFEST
      continue
    }
    if (!ended) {
      // All of a line and one byte more: it was whole, and its newline is damaged.
      if (parseLine(line.subarray(0, -1).toString(), end.sha256) !== null) throw damagedManifest(path, number)
      onTail({ line: number, bytes: line.length, kind: 'unfinished' })
      return
    }
    const part = parseLine(line.toString(), end.sha256)
    if (part !== null) {
      end = { bytes: end.bytes + line.length + 1, sha256: sha256(line) }
      yield { part, end }
    } else if (line.includes(0)) torn = { line: number, bytes: line.length + 1, kind: 'torn' }
    else throw damagedManifest(path, number)
  }
  if (torn !== null) onTail(torn)
}

function parseLine(text: string, previous: string): ManifestPart | null {
  try {
    const line = JSON.parse(text) as ManifestLine
    return line.previous === previous && Array.isArray(line.jobs) && isChecked(text, line) ? line : null
  } catch {
    return null
  }
}

/** Lines of earlier releases end with the checksum of the line before and have none of their own. */
function isChecked(text: string, line: ManifestLine): boolean {
  const match = CHECKSUM.exec(text)
  if (match === null) return Object.keys(line).at(-1) === 'previous'
  return match[1] === checksumOf(text.slice(0, match.index))
}

function checksumOf(text: string): string {
  return crc32(text).toString(16).padStart(8, '0')
}

/** Makes the error for a manifest that is somebody else's file, or of another release. */
export function foreignManifest(path: string): StoreError {
  return new StoreError('STORE_FOREIGN', `${path} is not the manifest of an archive of this release`, {
    path,
    hint: 'give the directory of an archive; nothing was written',
  })
}

/** Makes the error for a line that was whole and is damaged. */
export function damagedManifest(path: string, line: number): StoreError {
  return new StoreError('STORE_DAMAGED', `line ${line} of ${path} is damaged`, {
    path,
    hint: 'restore the archive from a copy; the segments beside it can still be read with zcat',
  })
}

async function* chunksOf(path: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(path) as AsyncIterable<Buffer>
  } catch (error) {
    throw explainFileError(error, dirname(path))
  }
}

async function* linesOf(path: string): AsyncGenerator<{ readonly line: Buffer; readonly ended: boolean }> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of chunksOf(path)) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let from = 0
    for (let to = rest.indexOf(10); to !== -1; to = rest.indexOf(10, from)) {
      yield { line: rest.subarray(from, to), ended: true }
      from = to + 1
    }
    rest = rest.subarray(from)
  }
  if (rest.length > 0) yield { line: rest, ended: false }
}
