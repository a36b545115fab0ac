/** The errors of this package, each with what was wrong, where, and what to do next. */

import { isStoreError, StoreError } from '@saltcod/store-core'
import { failedError } from '@saltcod/store-core/backend'

/** LMDB's code for a read that finds all slots taken. */
const READERS_FULL = -30_790

/** LMDB's codes for what it finds wrong with a page, of those that an input/output error does not lead to. */
const DAMAGE_CODES: ReadonlySet<unknown> = new Set([-30_797, -30_796, -30_779])

/** The file at the path is something else. */
export function foreignError(path: string, what: string, hint?: string): StoreError {
  return new StoreError('STORE_FOREIGN', `${path} ${what}; it was left alone`, {
    path,
    hint: hint ?? 'choose another path, or move what is there out of the way',
  })
}

/** The file is a store that cannot be trusted. */
export function damagedError(path: string, what: string, cause?: unknown): StoreError {
  return new StoreError('STORE_DAMAGED', `the store ${path} is damaged: ${what}`, {
    path,
    cause,
    hint: 'keep the file, and restore a backup in its place',
  })
}

/** LMDB counts its pages as it copies them, and gives up where some are missing from its list of free ones. */
export function unlistedError(path: string, cause: unknown): StoreError {
  const what =
    'it has pages that are neither in use nor listed as free, and LMDB copies it only after it was compacted'
  return new StoreError('STORE_DAMAGED', `the store ${path} is damaged: ${what}`, {
    path,
    cause,
    hint: 'compact it, then make the backup',
  })
}

/** The path may not be used by this user. */
export function permissionError(path: string, what: string, cause?: unknown, hint?: string): StoreError {
  return new StoreError('STORE_PERMISSION', `the store ${path} cannot be used: ${what}`, {
    path,
    cause,
    hint: hint ?? 'run as the user who owns the store, or correct the owner and mode of the path',
  })
}

/** There is nothing at the path. */
export function notFoundError(path: string): StoreError {
  return new StoreError('STORE_NOT_FOUND', `there is no store at ${path}`, {
    path,
    hint: 'check the path; a store is made when a node opens it for writing',
  })
}

/** Another process, or this one, owns the store. */
export function lockedError(path: string, who: string): StoreError {
  return new StoreError('STORE_LOCKED', `the store ${path} is in use by ${who}`, {
    path,
    actual: who,
    hint: 'a store has one owner; stop that one first, or open the store for reading only',
  })
}

/** Something that is needed for a moment is used up. */
function busyError(path: string, what: string, cause?: unknown, hint?: string): StoreError {
  return new StoreError('STORE_BUSY', `the store ${path} cannot be used now: ${what}`, {
    path,
    cause,
    hint: hint ?? 'try again when other processes have closed the store',
  })
}

/** An owner came and changed the store while it was read without its lock file. */
export function overtakenError(path: string): StoreError {
  return new StoreError('STORE_LOCKED', `the store ${path} was changed by an owner while it was read`, {
    path,
    hint: 'read it again: beside an owner it is read with its lock file, and nothing can overtake that',
  })
}

/** There is no room for a change; nothing was written. */
export function fullError(path: string, why: string): StoreError {
  return new StoreError('STORE_FULL', `there is no room for the change in ${path}: ${why}`, {
    path,
    hint: 'free space, raise the quota, or delete finished jobs; reading goes on, and writing when there is room',
  })
}

/** A rewrite came to no end; nothing has changed. */
export function rewriteStoppedError(path: string, why: string, cause?: unknown): StoreError {
  return new StoreError('REWRITE_STOPPED', `the rewrite of ${path} was stopped: ${why}`, {
    path,
    cause,
    hint: 'the store is as it was; rewrite it again when there is less to do',
  })
}

/** What LMDB reported where nothing was written: `what` says what it cannot do. */
export function nativeError(path: string, what: string, error: unknown): StoreError {
  if (isStoreError(error)) return error
  const code = (error as { code?: unknown } | null | undefined)?.code
  if (code === READERS_FULL) return busyError(path, 'all its slots for readers are taken', error)
  return damagedError(path, what, error)
}

/** Whether an error is what LMDB reports of a damaged page. */
export function isDamage(error: unknown): boolean {
  return DAMAGE_CODES.has((error as { code?: unknown } | null | undefined)?.code)
}

/** What the system reported: `what` says what cannot be done. */
export function systemError(path: string, what: string, error: unknown, hint?: string): StoreError {
  if (isStoreError(error)) return error
  const code = systemCode(error)
  const why = `${what} (${code ?? messageOf(error)})`
  if (code === 'EMFILE' || code === 'ENFILE') return descriptorsError(path, error)
  if (code === 'ENOSPC' || code === 'EDQUOT') return fullError(path, why)
  if (code === 'EIO') return failedError(path, error)
  return permissionError(path, why, error, code === 'EROFS' ? 'mount the file system for writing' : hint)
}

/** The process has as many files open as it may. */
export function descriptorsError(path: string, cause?: unknown): StoreError {
  return busyError(
    path,
    'this process has as many files and connections open as it may',
    cause,
    'raise the limit of open files (LimitNOFILE, ulimit -n), or try again when fewer are open',
  )
}

/**
 * A store error stays what it is, and so does a mistake of the caller; an error of the system becomes a store error.
 */
export function explained(path: string, what: string, error: unknown): unknown {
  return systemCode(error)?.startsWith('E') === true && !isStoreError(error) && 'syscall' in (error as object)
    ? systemError(path, what, error)
    : error
}

/** The `code` of an error of the system, for instance `ENOENT`; `undefined` for any other value. */
export function systemCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : undefined
}

/** The message of whatever was thrown, without a closing full stop. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.replace(/\.$/, '')
}
