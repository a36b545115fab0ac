import { damagedError, foreignError } from '../refusal.ts'
import { findCommit } from './current-commit.ts'
import { DataFile } from './data-file.ts'
import { describeForeign, LMDB_MAGIC } from './foreign-format.ts'
import { hasMagic, META_BYTES, type MetaPage, openingProblem } from './meta-page.ts'
import { parseHeader } from './tree-page.ts'

/** Enough to recognise other formats, whose second page may be at 64 KiB. */
const HEAD_BYTES = 65_536 + 64

/**
 * Reads the meta pages and the roots of a data file and refuses what LMDB could not open: opening it would
 * end the process. Throws `STORE_FOREIGN`, `STORE_DAMAGED` or `STORE_PERMISSION`; writes nothing.
 */
export function probeDataFile(path: string): void {
  withFile(path, (file) => {
    const size = file.fileBytes
    const head = file.read(0, HEAD_BYTES)
    if (size === 0) throw damagedError(path, 'it is empty, as after a creation that was interrupted')
    if (head.every((byte) => byte === 0)) throw damagedError(path, 'it begins with nothing but zeros')
    if (!hasMagic(head)) {
      const second = file.read(4_096, META_BYTES)
      if (hasMagic(second)) throw damagedError(path, `its first page is lost: ${metaProblemOf(file)}`)
      throw foreignError(path, describeForeign(head))
    }
    const meta = soundMeta(path, file)
    if (size < (meta.lastPage + 1) * meta.pageBytes) {
      throw damagedError(
        path,
        `it has ${size} bytes where ${(meta.lastPage + 1) * meta.pageBytes} are in use`,
      )
    }
    for (const { root } of [meta.freeTree, meta.mainTree]) {
      if (root !== null) probeTreePage(path, file, root, meta.pageBytes)
    }
  })
}

/**
 * Refuses a lock file that LMDB could not use. An empty one is fine: LMDB fills it. Only for a file that
 * this process has not open: closing it would drop the locks that LMDB holds on it.
 * Throws `STORE_DAMAGED` or `STORE_PERMISSION`.
 */
export function probeLockFile(path: string): void {
  withFile(path, (file) => {
    const head = file.read(0, 4)
    if (head.length === 0) return
    const magic = head.length === 4 ? head.readUInt32LE(0) : 1
    if (magic === LMDB_MAGIC || magic === 0) return
    throw damagedError(path, 'its lock file holds something else; stop all its readers and remove that file')
  })
}

function metaProblemOf(file: DataFile): string {
  const commit = findCommit(file)
  return typeof commit === 'string' ? commit : (commit.problems[0] ?? 'it says nothing')
}

/** The meta page that LMDB would use, where neither says anything that cannot be. */
function soundMeta(path: string, file: DataFile): MetaPage {
  const commit = findCommit(file)
  if (typeof commit === 'string') throw damagedError(path, commit)
  // LMDB asks the first meta page whether the file is encrypted, also where that is the older one.
  const isEncrypted = commit.other?.isEncrypted === true
  const problem =
    commit.problems[0] ?? openingProblem(commit.meta) ?? (isEncrypted ? 'it is encrypted' : null)
  if (problem !== null) throw damagedError(path, problem)
  return commit.meta
}

function probeTreePage(path: string, file: DataFile, number: number, pageBytes: number): void {
  const header = parseHeader(file.read(number * pageBytes, pageBytes), number)
  if (typeof header !== 'string' && header.kind !== 'overflow') return
  throw damagedError(path, `page ${number}, the root of a tree, is not one`)
}

function withFile(path: string, body: (file: DataFile) => void): void {
  const file = new DataFile(path)
  try {
    body(file)
  } finally {
    file.close()
  }
}
