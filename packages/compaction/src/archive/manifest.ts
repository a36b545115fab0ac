import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { dirname } from 'node:path'
import { StoreError } from '@saltcod/store-core'

import { explainFileError } from './durable-file.ts'

/** The name of the manifest in an archive's directory. */
export const MANIFEST_NAME = 'manifest.ndjson'

/** The first line of a manifest. */
export const MANIFEST_HEADER: string = JSON.stringify({ format: 'saltcod-archive', version: 1 })

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
interface IndexedJob extends Omit<ArchiveEntry, 'archivedAtMs'> {
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
  return JSON.stringify({ ...part, previous } satisfies ManifestLine)
}

/**
 * Reads a manifest part by part, oldest first. A last line without its newline was being written when its
 * process ended, and is passed over. Throws `STORE_FOREIGN`, `STORE_DAMAGED`, and what {@link explainFileError} makes of a file that cannot be read.
 */
export async function* readManifest(path: string): AsyncGenerator<ReadPart> {
  let end: ManifestEnd | null = null
  let number = 0
  for await (const line of linesOf(path)) {
    number += 1
    const text = line.toString()
    if (end === null) {
      if (text !== MANIFEST_HEADER) throw foreignManifest(path)
      end = EMPTY_MANIFEST
      continue
    }
    const part = parseLine(text, end.sha256)
    if (part === null) throw damagedManifest(path, number)
    end = { bytes: end.bytes + line.length + 1, sha256: sha256(line) }
    yield { part, end }
  }
}

function parseLine(text: string, previous: string): ManifestPart | null {
  try {
    const line = JSON.parse(text) as ManifestLine
    return line.previous === previous && Array.isArray(line.jobs) ? line : null
  } catch {
    return null
  }
}

/** Makes the error for a manifest that is somebody else's file, or of another release. */
export function foreignManifest(path: string): StoreError {
  return new StoreError('STORE_FOREIGN', `${path} is not the manifest of an archive of this release`, {
    path,
    hint: 'give the directory of an archive; nothing was written',
  })
}

function damagedManifest(path: string, line: number): StoreError {
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

async function* linesOf(path: string): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of chunksOf(path)) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let from = 0
    for (let to = rest.indexOf(10); to !== -1; to = rest.indexOf(10, from)) {
      yield rest.subarray(from, to)
      from = to + 1
    }
    rest = rest.subarray(from)
  }
}
