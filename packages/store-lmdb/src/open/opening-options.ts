import { inspect } from 'node:util'

import { checkFields, type Fields } from '@saltcod/store-core/backend'
import type { CommitThreadUse } from '../write/commit-place.ts'

/** Something that an operator may want to know about the opening of a store. */
export interface LmdbNotice {
  /**
   * `OWNER_DIED`: the process that had the store before did not close it; the file was checked.
   * `REWRITE_CUT_SHORT`: it was rewriting the store; what that left behind was brought in order.
   * `MIGRATED`: an earlier release wrote the store; it was backed up and brought to this release's schema.
   */
  readonly code: 'OWNER_DIED' | 'REWRITE_CUT_SHORT' | 'MIGRATED'
  readonly message: string
}

/** Options of `openLmdbKv`. */
export interface LmdbKvOptions {
  /** Path of the data file. Its lock file and the directory of its owner lock lie beside it. */
  readonly path: string
  /** Names of the tables. A body that names another one gets a `TypeError`. */
  readonly tables: readonly string[]
  /** Opens for reading, beside an owner or without one. Default false. */
  readonly readOnly?: boolean
  /** Whether a store that is not there is made, with its directory. Default true; never when reading only. */
  readonly create?: boolean
  /** The most bytes that the data file may have; beyond it writes fail with `STORE_FULL`. Default: no limit. */
  readonly quotaBytes?: number
  /** Bytes of the file system that the data file leaves free. Default 16 MiB. */
  readonly lowSpaceBytes?: number
  /** Address space that is mapped at first; the map grows by itself. Default 1 GiB. */
  readonly mapBytes?: number
  /**
   * Whether a thread of its own makes the commits, so that the event loop does not wait for the disk: `auto` while
   * several callers wait for each, or where a commit takes three milliseconds and more, `always`, or `never`. A commit
   * is as durable either way; the thread takes some 20 MiB of memory. Default `never`.
   */
  readonly commitThread?: CommitThreadUse
  /**
   * The most bytes of the file that a store that is open for reading keeps in its memory from one read to the next.
   * Default: no limit; the kernel takes them back when memory is short. Where a file is open twice in a process, the
   * first opening decides.
   */
  readonly maxResidentBytes?: number
  /**
   * A directory in which a reader may make files. While the store has no owner it is then read without its lock file,
   * so that nothing beside it is made or changed; a read that a starting owner overtakes fails with `STORE_LOCKED`,
   * the next one uses the lock file. Default: none, and the lock file is used.
   */
  readonly scratchDirectory?: string
  /** Gets what an operator should know. The package itself logs nothing. */
  readonly onNotice?: (notice: LmdbNotice) => void
}

const SIZES = ['quotaBytes', 'lowSpaceBytes', 'mapBytes', 'maxResidentBytes'] as const
const FLAGS = ['readOnly', 'create'] as const
const THREAD_USES: readonly unknown[] = ['auto', 'always', 'never', undefined] satisfies (
  | CommitThreadUse
  | undefined
)[]

/** The fields of the options of an opening. */
export const OPENING_FIELDS: Fields<LmdbKvOptions> = {
  path: true,
  tables: true,
  readOnly: true,
  create: true,
  quotaBytes: true,
  lowSpaceBytes: true,
  mapBytes: true,
  commitThread: true,
  maxResidentBytes: true,
  scratchDirectory: true,
  onNotice: true,
}

/** Checks the options of an opening, before anything is looked at or made. Throws `TypeError`. */
export function checkOpeningOptions(options: LmdbKvOptions): void {
  if (typeof options !== 'object' || options === null)
    throw wrong('options', 'an object with a path', options)
  checkFields('openLmdbKv', options, OPENING_FIELDS)
  const { tables, onNotice } = options
  checkPath(options.path)
  if (!Array.isArray(tables) || !tables.every((table) => typeof table === 'string' && table !== '')) {
    throw wrong('tables', 'a list of names', tables)
  }
  for (const name of FLAGS) {
    const value: unknown = options[name]
    if (value !== undefined && typeof value !== 'boolean') throw wrong(name, 'true or false', value)
  }
  for (const name of SIZES) {
    const value = options[name]
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 0)) {
      throw wrong(name, 'a whole number of bytes from 0', value)
    }
  }
  if (!THREAD_USES.includes(options.commitThread))
    throw wrong('commitThread', 'auto, always or never', options.commitThread)
  if (onNotice !== undefined && typeof onNotice !== 'function')
    throw wrong('onNotice', 'a function', onNotice)
}

/** Checks the path of a store. Throws `TypeError`. */
export function checkPath(path: string): void {
  if (typeof path === 'string' && path !== '' && !path.includes('\0')) return
  throw wrong('path', 'the path of a file as a text', path)
}

function wrong(name: string, wanted: string, value: unknown): TypeError {
  return new TypeError(`The option ${name} must be ${wanted}, but is ${inspect(value, { depth: 0 })}.`)
}
