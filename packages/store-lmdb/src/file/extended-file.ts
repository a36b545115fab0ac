import { fdatasyncSync, writeSync } from 'node:fs'

const ZEROS: Uint8Array = new Uint8Array(1024 * 1024)

/** Writes zeros from one position of an open file to another, behind its end, and returns when they are on disk. */
export function extendFile(file: number, fromBytes: number, toBytes: number): void {
  for (let position = fromBytes; position < toBytes; )
    position += writeSync(file, ZEROS, 0, Math.min(ZEROS.length, toBytes - position), position)
  fdatasyncSync(file)
}
