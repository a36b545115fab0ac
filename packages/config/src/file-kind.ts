import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** What lies at a path, as far as it matters before a store is opened there. */
export type FileKind = 'missing' | 'bolt' | 'file' | 'directory' | 'special' | 'unreadable'

// BoltDB's meta pages are the first two; after a 16-byte page header comes this number, in the order of the machine.
const BOLT_MAGIC = 0xed0cdaed
const META_OFFSET = 16
const PAGE_STARTS = [0, 4096, 8192, 16_384, 32_768, 65_536]

/**
 * Looks at what lies at a path, without following a pipe or writing anything; never throws.
 * A symbolic link that leads nowhere counts as special: its target may be on a volume that is not mounted.
 */
export function fileKind(path: string): FileKind {
  try {
    const stats = statSync(path)
    if (stats.isDirectory()) return 'directory'
    if (!stats.isFile()) {
      // As long as a pipe is what Node has looked at last it resolves no links, and finds no module any more.
      statSync('/')
      return 'special'
    }
    return holdsBolt(path) ? 'bolt' : 'file'
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOTDIR') return 'missing'
    if (code !== 'ENOENT') return 'unreadable'
    return lstatSync(path, { throwIfNoEntry: false }) === undefined ? 'missing' : 'special'
  }
}

/** Tells whether something that is not a directory, and may be a store, lies at a path. */
export function isThere(path: string): boolean {
  const kind = fileKind(path)
  return kind !== 'missing' && kind !== 'directory'
}

/** Tells whether an archive, whole or damaged, lies in a directory. */
export function archiveIsThere(directory: string): boolean {
  return fileKind(join(directory, 'manifest.ndjson')) !== 'missing'
}

function holdsBolt(path: string): boolean {
  // Non-blocking, should a pipe have taken the file's place since.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    if (!fstatSync(file).isFile()) return false
    const word = Buffer.alloc(4)
    return PAGE_STARTS.some((start) => {
      if (readSync(file, word, 0, 4, start + META_OFFSET) < 4) return false
      return word.readUInt32LE() === BOLT_MAGIC || word.readUInt32BE() === BOLT_MAGIC
    })
  } finally {
    closeSync(file)
  }
}
