/** The errors of this package, each with what was wrong, where, and what to do next. */

import { StoreError } from '@saltcod/store-core'
import { failedError } from '@saltcod/store-core/backend'

/** There is nothing at the path. */
function notFoundError(path: string): StoreError {
  return new StoreError('STORE_NOT_FOUND', `there is no file at ${path}`, { path, hint: 'check the path' })
}

/** The path holds something else. */
export function foreignError(path: string, what: string): StoreError {
  return new StoreError('STORE_FOREIGN', `${path} ${what}, not a BoltDB file`, {
    path,
    hint: 'give the file that a program wrote with BoltDB or bbolt',
  })
}

/** The file is of BoltDB, and cannot be trusted at some place. */
export function damagedError(path: string, what: string): StoreError {
  return new StoreError('STORE_DAMAGED', `the BoltDB file ${path} is damaged: ${what}`, {
    path,
    remedy: 'read',
    hint: 'keep the file; what lies elsewhere in it can still be read',
  })
}

/** The file is of BoltDB, and nothing in it tells where anything is. */
export function lostError(path: string, what: string): StoreError {
  return new StoreError('STORE_DAMAGED', `the BoltDB file ${path} is damaged: ${what}`, {
    path,
    remedy: 'restore',
    hint: 'keep the file, and restore a copy of it: without a meta page nobody can tell where anything is',
  })
}

/** The program that has the file open commits faster than it can be read. */
export function changingError(path: string, tries: number): StoreError {
  return new StoreError(
    'STORE_CHANGING',
    `the BoltDB file ${path} changes too fast: it was read ${tries} times, and each time its owner committed meanwhile`,
    {
      path,
      actual: tries,
      hint: 'read a copy that was made while its program was stopped, or try again when it has less to do',
    },
  )
}

/** The file was closed. */
export function closedError(path: string): StoreError {
  return new StoreError('STORE_CLOSED', `the BoltDB file ${path} was closed`, {
    path,
    hint: 'open it again to read on',
  })
}

/** One value is longer than the caller takes. */
export function valueTooLongError(path: string, what: string, bytes: number, limit: number): StoreError {
  return new StoreError('INVALID_ARGUMENT', `the value of ${what} in ${path} has ${bytes} bytes`, {
    path,
    actual: bytes,
    expected: limit,
    hint: `at most ${limit} are read; raise maxValueBytes for more`,
  })
}

/** The file has no such page. */
export function noPageError(path: string, page: number, pageCount: number): StoreError {
  return new StoreError('INVALID_ARGUMENT', `the BoltDB file ${path} has no page ${page}`, {
    path,
    actual: page,
    hint: `its pages are 0 to ${pageCount - 1}`,
  })
}

/** The file claims more pages than a list can have. */
export function tooManyPagesError(path: string, pages: number, limit: number): StoreError {
  return new StoreError('INVALID_ARGUMENT', `the BoltDB file ${path} has ${pages} pages`, {
    path,
    actual: pages,
    expected: limit,
    hint: `at most ${limit} are listed; stats counts those that are in use, and check finds the others`,
  })
}

/** What the system reported as the file was opened or read. */
export function systemError(path: string, error: unknown): StoreError {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'ENOTDIR') return notFoundError(path)
  if (code === 'EIO') return failedError(path, error)
  if (code === 'EMFILE' || code === 'ENFILE') {
    return new StoreError(
      'STORE_BUSY',
      `${path} cannot be opened: this process has as many files open as it may`,
      {
        path,
        cause: error,
        hint: 'raise the limit of open files (LimitNOFILE, ulimit -n), or try again when fewer are open',
      },
    )
  }
  return new StoreError('STORE_PERMISSION', `${path} cannot be read (${code ?? String(error)})`, {
    path,
    cause: error,
    hint: 'run as the user who owns the file, or correct the mode of the path',
  })
}
