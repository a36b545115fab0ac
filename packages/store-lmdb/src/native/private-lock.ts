import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { removeFile } from '../file/file-removal.ts'
import { META_BYTES, parseMeta } from '../file/meta-page.ts'
import { makeLockFile } from '../file/reader-table.ts'
import type { StorePath } from '../file/store-path.ts'

/**
 * A lock file of a reader's own, for a store without an owner: LMDB makes it beside the path by which it opens a file,
 * so a link in another directory leaves the directory of the store as it is. A writer does not know of such a reader.
 * It writes over pages of a commit only when it has made the next one known in a meta page, so what was read is right
 * as long as {@link PrivateLock.isStale} says no after the reading.
 */
export class PrivateLock {
  /** The path by which the file is to be opened. */
  readonly path: string
  readonly #paths: StorePath
  readonly #file: number
  readonly #identity: string
  readonly #transactions: string | undefined

  /** Makes the link in a directory, which must be there. Throws what the file system throws. */
  constructor(paths: StorePath, directory: string) {
    this.#paths = paths
    this.path = join(directory, `${randomBytes(8).toString('hex')}-${paths.name}`)
    this.#file = openSync(paths.data, 'r')
    this.#identity = this.#identityNow()
    this.#transactions = this.#transactionsNow()
    symlinkSync(paths.data, this.path)
    makeLockFile({ ...paths, lock: `${this.path}-lock` }, true)
  }

  /** Whether somebody has changed the store, or put another file in its place, since this was made. */
  isStale(): boolean {
    const transactions = this.#transactionsNow()
    return (
      transactions === undefined ||
      transactions !== this.#transactions ||
      this.#identityNow() !== this.#identity
    )
  }

  /** Removes the link and the lock file; of use no more after that. */
  remove(): void {
    closeSync(this.#file)
    removeFile(this.path)
    removeFile(`${this.path}-lock`)
  }

  #identityNow(): string {
    const found = statSync(this.#paths.data, { bigint: true, throwIfNoEntry: false })
    return found === undefined ? '' : `${found.dev}:${found.ino}`
  }

  /** Those of both meta pages; `undefined` where one cannot be read, as while it is being written. */
  #transactionsNow(): string | undefined {
    const first = this.#metaAt(0)
    const second = first === undefined ? undefined : this.#metaAt(first.pageBytes)
    if (first === undefined || second === undefined) return undefined
    return `${first.transaction} ${second.transaction}`
  }

  #metaAt(position: number): { pageBytes: number; transaction: bigint } | undefined {
    const bytes = Buffer.alloc(META_BYTES)
    try {
      if (readSync(this.#file, bytes, 0, META_BYTES, position) < META_BYTES) return undefined
    } catch {
      return undefined
    }
    const meta = parseMeta(bytes)
    return typeof meta === 'string' ? undefined : meta
  }
}
